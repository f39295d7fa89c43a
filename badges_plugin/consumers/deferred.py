"""Events that could not be applied when they came: tried again by themselves, when their time has come."""

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

SECONDS_BETWEEN_LOOKS = 10.0
SECONDS_AT_ONCE = 2.0
AT_ONCE = 200

CLAIM = timedelta(minutes=5)
"""How long whoever tries an event has it to itself; after trouble that passes it is tried again by then."""


class Retries:
    """For a loop: tries again what is due, now and then, and never for long."""

    def __init__(self) -> None:
        self._next = 0.0

    def when_due(self) -> None:
        """Do so if it is time. Other work must go on: what goes wrong is logged and left to the next time."""
        if time.monotonic() < self._next:
            return
        try:
            retry_due()
        except Exception as error:  # noqa: BLE001 - events must flow all the same
            logger.warning("Events that wait could not be tried again: %s", describe(error))
        finally:
            # No connection is kept open for this: the next event may be hours away, and it would be stale by then.
            database.refresh_connections()
        self._next = time.monotonic() + SECONDS_BETWEEN_LOOKS


def retry_a_batch(now: datetime) -> bool:
    """Retry what is due. Return whether there is more at once: never, since the next look is soon. For the worker."""
    retry_due()
    return False


def retry_due(*, seconds: float = SECONDS_AT_ONCE) -> int:
    """Try again the events whose time has come, oldest first, for about so many seconds; returns how many were applied.

    Any number of processes may do this at the same time. One query when there is nothing to do.
    """
    now, until, applied = timezone.now(), time.monotonic() + seconds, 0
    waiting = FailedEvent.objects.filter(state=FailedEvent.State.FAILED, retry_at__isnull=False)
    due = waiting.filter(retry_at__lte=now).order_by("retry_at", "pk").values_list("pk", "retry_at")
    for pk, retry_at in list(due[:AT_ONCE]):
        if time.monotonic() > until:
            break
        if waiting.filter(pk=pk, retry_at=retry_at).update(retry_at=now + CLAIM):
            applied += _retry(FailedEvent.objects.filter(pk=pk).first())
    if applied:
        logger.info("%d events that had to wait were applied.", applied)
    return applied


def _retry(failed: FailedEvent | None) -> bool:
    if failed is None:  # a learner was erased meanwhile
        return False
    try:
        process_again(failed)
    except ReceiversFailed as error:
        logger.debug("Failed event %s was tried again: %s", failed.pk, describe(error))
        return False
    except NotReprocessable as refusal:
        # Not here and now: this process may not receive events of its type. It says so to who tries it by hand.
        logger.debug("Failed event %s cannot be tried here: %s", failed.pk, refusal)
        return False
    return True
