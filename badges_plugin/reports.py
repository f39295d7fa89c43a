"""Keeps personal data out of what others log while an event is sent to its receivers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from .redaction import describe_with_place

# Loggers that report receivers' errors or results while a signal is sent, in Django and in openedx-events.
REPORTING_LOGGERS = ("django.dispatch", "openedx_events.tooling")


class _WithoutMessages(logging.Filter):
    """
    Replaces an exception in a record by its class and place.

    A record without one is a report of results; it says nothing that whoever sent the event does not say as well.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return record.levelno >= logging.WARNING
        record.msg = "A receiver failed with %s"
        record.args = (describe_with_place(error),)
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
