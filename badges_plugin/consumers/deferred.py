"""Retry deferred events, which could not be applied when they arrived, once they are due."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.utils import timezone

from badges_plugin import database
from badges_plugin.consumers.exceptions import ReceiversFailed
from badges_plugin.consumers.reprocessing import NotReprocessable, process_again
from badges_plugin.logs import get_logger
from badges_plugin.models import FailedEvent
from badges_plugin.redaction import describe

logger = get_logger(__name__)

INTERVAL_SECONDS = 10.0
BATCH_SECONDS = 2.0
BATCH = 200

CLAIM = timedelta(minutes=5)
"""How long a process has an event to itself while it retries it; after a transient error it is retried this soon."""


class Retries:
    """Retries due events from a loop, at intervals and for a short time."""

    def __init__(self) -> None:
        self._next = 0.0

    def when_due(self) -> None:
        """Retry due events if it is time. Errors are logged and left to the next time, so that other work continues."""
        if time.monotonic() < self._next:
            return
        try:
            retry_due()
        except Exception as error:  # noqa: BLE001 - events must be consumed all the same
            logger.warning("Deferred events could not be retried: %s", describe(error))
        finally:
            # The next event may be hours away; by then the connection would be stale.
            database.refresh_connections()
        self._next = time.monotonic() + INTERVAL_SECONDS


def retry_a_batch(now: datetime) -> bool:
    """Retry the events that are due, as a chore of the worker. Return whether more is left at once: never."""
    retry_due()
    return False


def retry_due(*, seconds: float = BATCH_SECONDS) -> int:
    """Retry the events that are due, oldest first, for about so many seconds; return how many were applied.

    Any number of processes may do this at the same time. Costs one query when no event is due.
    """
    now, until, applied = timezone.now(), time.monotonic() + seconds, 0
    waiting = FailedEvent.objects.filter(state=FailedEvent.State.FAILED, retry_at__isnull=False)
    due = waiting.filter(retry_at__lte=now).order_by("retry_at", "pk").values_list("pk", "retry_at")
    for pk, retry_at in list(due[:BATCH]):
        if time.monotonic() > until:
            break
        if waiting.filter(pk=pk, retry_at=retry_at).update(retry_at=now + CLAIM):
            applied += _retry(FailedEvent.objects.filter(pk=pk).first())
    if applied:
        logger.info("%d deferred events were applied.", applied)
    return applied


def _retry(failed: FailedEvent | None) -> bool:
    if failed is None:  # a learner was erased meanwhile
        return False
    try:
        process_again(failed)
    except ReceiversFailed as error:
        logger.debug("Failed event %s was retried: %s", failed.pk, describe(error))
        return False
    except NotReprocessable as refusal:
        # For example, this process does not receive events of its type. Staff who retry it see the reason.
        logger.debug("Failed event %s cannot be retried here: %s", failed.pk, refusal)
        return False
    return True
