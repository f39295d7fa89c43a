"""One pace of requests for all processes of a site, kept in the database.

A process reserves a stretch of time, in which nobody else sends: a row holds the instant from which time is free, and
a conditional UPDATE moves it on. Only the database's clock counts, so the machines' clocks may differ. A process that
dies leaves at most the second unused that it had reserved.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from django.db import DatabaseError, connections, router
from django.db.models.functions import Now

from badges_plugin.distribution.models import RateLimit
from badges_plugin.distribution.rate_limit import RateLimiter
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
# A reservation begins sooner. One that seems not to was made before the database's clock was set back.
_LONGEST_QUEUE = timedelta(minutes=10)
_LONGEST_QUEUE_IN_RESERVATIONS = 100
_TRIES = 50
# Seconds to wait for the database before a process goes on at its own pace.
_PATIENCE = 10.0


class _DatabaseNow(Now):
    """The database's clock, in UTC: MySQL's usual one is in the time zone of the server and jumps twice a year."""

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **context)


@lru_cache(maxsize=1024)
def shared_limiter(name: str, per_minute: float) -> RateLimiter:
    """Return a rate limiter whose pace all processes with this database share.

    ``name`` says what is limited, an account or a whole provider, in at most 128 characters.
    """
    return RateLimiter(per_minute, reserve=partial(_reserve_in_a_thread, name))


def reserve(name: str, seconds: float) -> float:
    """Reserve so many seconds for the caller, and return in how many seconds they begin. In autocommit mode."""
    row = RateLimit.objects.filter(name=name)
    for _ in range(_TRIES):
        known = row.annotate(now=_DatabaseNow()).values_list("free_from", "now").first()
        if known is None:
            RateLimit.objects.bulk_create([RateLimit(name=name, free_from=_LONG_AGO)], ignore_conflicts=True)
            continue
        free_from, now = known
        latest = now + max(_LONGEST_QUEUE, timedelta(seconds=seconds * _LONGEST_QUEUE_IN_RESERVATIONS))
        begins = free_from if now < free_from < latest else now
        # Only if nobody reserved the same time meanwhile.
        if row.filter(free_from=free_from).update(free_from=begins + timedelta(seconds=seconds)):
            return float((begins - now).total_seconds())
    raise DatabaseError("Other processes were always faster.")


def _reserve_in_a_thread(name: str, seconds: float) -> float:
    """Do the same on a connection of its own: the caller may be in a transaction, which would keep the row locked.

    Without the database, the process goes on at its own pace: that may be too fast, and then the provider says so.
    """
    future: Future[float] = Future()
    threading.Thread(target=_work, args=(future, name, seconds), name="reserve", daemon=True).start()
    try:
        return future.result(timeout=_PATIENCE)
    except (DatabaseError, TimeoutError) as error:
        logger.warning(
            "The rate limit %s is not shared with other processes for now: %s", name, str(error) or "no answer"
        )
        return 0.0


def _work(future: Future[float], name: str, seconds: float) -> None:
    try:
        future.set_result(reserve(name, seconds))
    except BaseException as error:  # noqa: BLE001 - raised again when the result is read
        future.set_exception(error)
    finally:
        connections[router.db_for_write(RateLimit)].close()
