"""Loggers that keep each record on one line and personal data out of the log.

Events, providers and people write some of the text in a record; none of them can forge another record.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from badges_plugin.data import Deferral
from badges_plugin.exceptions import DeferredEvent
from badges_plugin.redaction import describe_with_traceback, one_line

# Loggers of Django and openedx-events that report receivers' errors or results while a signal is sent.
REPORTING_LOGGERS = ("django.dispatch", "openedx_events.tooling")

SECONDS_BETWEEN_REPORTS = 60.0


class _OneLine(logging.Filter):
    """Put a record's message and each value in it on one line; show an exception by its class and place."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = one_line(record.msg)
        if isinstance(record.args, Mapping):
            record.args = {name: _fit(value) for name, value in record.args.items()}
        elif record.args:
            record.args = tuple(_fit(value) for value in record.args)
        if error := record.exc_info and record.exc_info[1]:
            record.msg, record.args = "%s: %s", (record.getMessage(), one_line(describe_with_traceback(error)))
            record.exc_info = record.exc_text = None
        return True


_one_line = _OneLine()


def get_logger(name: str) -> logging.Logger:
    """Return the logger of this name with our filter; every module here gets its logger from this function."""
    logger = logging.getLogger(name)
    logger.addFilter(_one_line)
    return logger


logger = get_logger(__name__)


def level_of_each(count: int) -> int:
    """Return the level of the lines about each of several things that were done together; of one alone it is INFO.

    A line for each takes longer than to write its row.
    """
    return logging.DEBUG if count > 1 else logging.INFO


@contextmanager
def redacted_reports() -> Iterator[None]:
    """Redact the reports of ``REPORTING_LOGGERS`` inside the block."""
    redaction = _WithoutMessages()
    loggers = [logging.getLogger(name) for name in REPORTING_LOGGERS]
    for each in loggers:
        each.addFilter(redaction)
    try:
        yield
    finally:
        for each in loggers:
            each.removeFilter(redaction)


class _WithoutMessages(logging.Filter):
    """Replace an exception in a record with its class and place.

    Drops reports of results, which the sender of the event logs as well, and reports of deferred events.
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
    """Reports how many events were kept to be applied later, once a minute for each cause.

    While the clock of this machine is slow, every event may be one of them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unreported: Counter[Deferral] = Counter()
        self._next: dict[Deferral, float] = {}

    def report(self, deferred: DeferredEvent, event: object) -> None:
        """Count an event that was kept, and log the count when it is time."""
        cause, now = deferred.cause, self._clock()
        self._unreported[cause] += 1
        if now < self._next.get(cause, now):
            return
        self._next[cause] = now + SECONDS_BETWEEN_REPORTS
        logger.warning(
            "%d events are kept as failed events and will be retried automatically. The latest is %s: %s.",
            self._unreported.pop(cause),
            event,
            deferred.reason,
        )


def _fit(value: object) -> object:
    return value if isinstance(value, int | float) else one_line(value)
