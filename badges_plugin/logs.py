"""Our loggers: a record is one line, whatever an event, a provider or a person wrote; nobody can forge another."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from badges_plugin.redaction import describe_with_traceback, one_line


class _OneLine(logging.Filter):
    """Makes one line of a record's message and of each value in it. An exception is told by its class and place."""

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
    """Return the logger of this name; all modules here have theirs from this function."""
    logger = logging.getLogger(name)
    logger.addFilter(_one_line)
    return logger


def _fit(value: object) -> object:
    return value if isinstance(value, int | float) else one_line(value)
