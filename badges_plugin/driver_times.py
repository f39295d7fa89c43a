"""Read the times of a query with one call each.

MySQL's driver for Python takes longer for the times of a hundred rows than the server for the query: it puts each
together from seven pieces, in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

_DATETIME = 12
"""The type of such a column in the protocol of MySQL and MariaDB."""


@contextmanager
def aware_times(database: BaseDatabaseWrapper, wanted: str) -> Iterator[None]:
    """Have the driver return times in UTC with their time zone for a statement; without one, as always, if it cannot.

    The database is connected. Other apps may wrap its statements: what they ask meanwhile is answered as always, and so
    is a statement that they have changed.
    """
    driver: Any = database.connection
    readers: dict[object, object] = getattr(driver, "converter", None) or {}
    usual = readers.get(_DATETIME)
    if getattr(usual, "__module__", "") != "MySQLdb.times" or database.timezone is not UTC:
        yield
        return

    def execute(inner: Callable[..., Any], statement: str, *others: Any) -> Any:
        if statement != wanted:
            return inner(statement, *others)
        # Each connection has its own, and one thread.
        readers[_DATETIME] = _read
        try:
            return inner(statement, *others)
        finally:
            readers[_DATETIME] = usual

    # Inside all others.
    with database.execute_wrapper(execute):
        yield


def _read(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{text}+00:00")
    except ValueError:  # a zero date, for which the driver returns None as well
        return None
