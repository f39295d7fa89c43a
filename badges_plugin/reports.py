"""What is logged of events that are sent to their receivers: no personal data, and no line for each of a million."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from badges_plugin.data import Deferral
from badges_plugin.exceptions import DeferredEvent
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe_with_traceback

# Loggers that report receivers' errors or results while a signal is sent, in Django and in openedx-events.
REPORTING_LOGGERS = ("django.dispatch", "openedx_events.tooling")

SECONDS_BETWEEN_REPORTS = 60.0

logger = get_logger(__name__)


class _WithoutMessages(logging.Filter):
    """Replaces an exception in a record by its class and place.

    A record without one is a report of results; it says nothing that whoever sent the event does not say as well. Nor
    does one of an event that waits.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, DeferredEvent):
            return False
        if error is None:
            return record.levelno >= logging.WARNING
        record.msg = "A receiver failed with %s"
        record.args = (describe_with_traceback(error),)
        record.exc_info = None
        record.exc_text = None
        return True


class Deferrals:
    """Reports, once a minute for each cause, how many events were kept to be applied later.

    While the clock of this machine is behind, every event is one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unreported: Counter[Deferral] = Counter()
        self._next: dict[Deferral, float] = {}

    def report(self, deferred: DeferredEvent, event: object) -> None:
        """Note that an event was kept."""
        cause, now = deferred.cause, self._clock()
        self._unreported[cause] += 1
        if now < self._next.get(cause, now):
            return
        self._next[cause] = now + SECONDS_BETWEEN_REPORTS
        logger.warning(
            "%d events are kept as failed events and tried again by themselves. The last is %s: %s.",
            self._unreported.pop(cause),
            event,
            deferred.reason,
        )


@contextmanager
def redacted_reports() -> Iterator[None]:
    """Redact the reports of ``REPORTING_LOGGERS`` inside the block."""
    redaction = _WithoutMessages()
    loggers = [logging.getLogger(name) for name in REPORTING_LOGGERS]
    for logger in loggers:
        logger.addFilter(redaction)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(redaction)
