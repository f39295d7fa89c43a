"""Read the times of a query with one call each.

MySQL's driver for Python takes longer for the times of a hundred rows than the server for the query: it puts each
together from seven pieces, in Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

_DATETIME = 12
"""The type of such a column in the protocol of MySQL and MariaDB."""


@contextmanager
def aware_times(database: BaseDatabaseWrapper) -> Iterator[bool]:
    """Have the driver return times in UTC with their time zone, inside the block; without one, as always, if it cannot.

    Yields whether it does. The database is connected.
    """
    driver: Any = database.connection
    readers: dict[object, object] = getattr(driver, "converter", None) or {}
    usual = readers.get(_DATETIME)
    if getattr(usual, "__module__", "") != "MySQLdb.times" or database.timezone is not UTC:
        yield False
        return
    # Each connection has its own, and one thread.
    readers[_DATETIME] = _read
    try:
        yield True
    finally:
        readers[_DATETIME] = usual


def _read(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{text}+00:00")
    except ValueError:  # a zero date, for which the driver returns None as well
        return None
