"""Keeps personal data out of the log while events are consumed: errors quote what they are about."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from .database import chain
from .problems import ConsumerProblem

# Loggers that report receivers' errors or results while a signal is sent, in Django and in openedx-events.
REPORTING_LOGGERS = ("django.dispatch", "openedx_events.tooling")


def describe(error: BaseException) -> str:
    """Return the classes of ``error`` and of what led to it, with the messages of those that name nobody."""
    return " < ".join(
        f"{type(each).__name__}: {each}" if isinstance(each, ConsumerProblem) else type(each).__name__
        for each in chain(error)
    )


def frames(error: BaseException) -> str:
    """Return where ``error`` was raised, as lines of code, without its message."""
    return "".join(traceback.format_tb(error.__traceback__)).rstrip()


class _WithoutMessages(logging.Filter):
    """
    Replaces an exception in a record by its class and place.

    A record without one is a report of results; it says nothing that the consumers do not say themselves.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return record.levelno >= logging.WARNING
        record.msg = "A receiver failed with %s:\n%s"
        record.args = (describe(error), frames(error))
        record.exc_info = None
        record.exc_text = None
        return True


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
