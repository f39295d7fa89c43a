"""Which errors of the database pass by themselves."""

from __future__ import annotations

import sqlite3

import pytest
from django.db import DataError, InterfaceError, OperationalError, ProgrammingError

from badges_plugin.database import is_transient
from badges_plugin.exceptions import ConfigurationChanged


class PostgresError(Exception):
    """As psycopg's, which carry the SQLSTATE."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("FATAL")
        self.sqlstate = sqlstate


class MySQLError(Exception):
    """As mysqlclient's, which carry the number first."""


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    error.__cause__ = cause
    return error


MYSQL_SERVER_GONE = OperationalError(2006, "Server has gone away")


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (raised(OperationalError(2006, "Server has gone away"), MySQLError(2006)), True),
        (raised(OperationalError(2013, "Lost connection"), MySQLError(2013)), True),
        (raised(OperationalError(1213, "Deadlock found"), MySQLError(1213)), True),
        (raised(OperationalError(1205, "Lock wait timeout exceeded"), MySQLError(1205)), True),
        (raised(OperationalError(2002, "Can't connect"), MySQLError(2002)), True),
        (raised(OperationalError(1366, "Incorrect string value"), MySQLError(1366)), False),  # will be wrong again
        (raised(OperationalError(1054, "Unknown column"), MySQLError(1054)), False),
        (raised(OperationalError("terminating connection"), PostgresError("57P01")), True),
        (raised(OperationalError("deadlock detected"), PostgresError("40P01")), True),
        (raised(OperationalError("lock not available"), PostgresError("55P03")), True),
        (raised(OperationalError("could not connect"), Exception("no SQLSTATE: never reached a server")), True),
        (raised(OperationalError("index row size"), PostgresError("54000")), False),
        (raised(OperationalError("database is locked"), sqlite3.OperationalError("database is locked")), True),
        (raised(OperationalError("unable to open database file"), sqlite3.OperationalError("unable")), True),
        (raised(OperationalError("no such table: x"), sqlite3.OperationalError("no such table: x")), False),
        (InterfaceError("connection already closed"), True),
        (ConfigurationChanged("while templates are synchronized"), True),
        (DataError("value too long"), False),
        (ProgrammingError("relation does not exist"), False),
        (ValueError("a bug"), False),
        (raised(RuntimeError("a receiver's own"), MYSQL_SERVER_GONE), True),  # what led to it decides
    ],
)
def test_is_transient(error: Exception, passing: bool) -> None:
    assert is_transient(error) is passing


def test_a_circle_of_causes_ends() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert is_transient(first) is False
