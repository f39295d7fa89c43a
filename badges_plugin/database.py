"""Tell transient database errors from permanent ones, and recover; find unapplied migrations."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model, QuerySet

from badges_plugin.exceptions import ConfigurationChanged
from badges_plugin.redaction import iter_causes

ModelT = TypeVar("ModelT", bound=Model)

# MySQL and MariaDB raise OperationalError for many permanent errors (an unknown column, an invalid character), so the
# number decides. https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
MYSQL_TRANSIENT = frozenset(
    {
        1040,  # too many connections
        1044, 1045,  # access denied: credentials are being changed
        1049,  # unknown database: it is being restored
        1053,  # server shutdown in progress
        1152, 1158, 1159, 1160, 1161,  # the connection broke
        1205,  # lock wait timeout
        1213,  # deadlock
        1290, 1836,  # read-only: a fail-over is going on
        1317,  # query interrupted
        1927,  # connection killed (MariaDB)
        2002, 2003, 2005, 2006, 2013, 2055,  # client side: cannot connect, server gone, lost connection
        3024,  # query took too long
        3572,  # NOWAIT
        4031,  # disconnected by the server because of inactivity
    }
)  # fmt: skip

# SQLSTATE classes and codes. https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRES_TRANSIENT = (
    "08",  # connection
    "40",  # deadlock, serialization
    "53",  # resources, too many connections
    "55P03",  # lock not available
    "57",  # shut down, cannot connect now, query cancelled
    "58",  # system error
    "25006",  # read-only: a fail-over is going on
    "28",  # authorization: credentials are being changed
    "3D000",  # unknown database: it is being restored
)

SQLITE_TRANSIENT = ("locked", "busy", "unable to open", "disk i/o")


def by_key(rows: QuerySet[ModelT]) -> QuerySet[ModelT]:
    """Read the keys of ``rows`` with one query and return a queryset of just these keys, for an update.

    MySQL refuses an update that reads its own table in a subquery (error 1093), as a list filtered in the admin may do.
    MariaDB also locks the rows of other tables that a condition reads.
    """
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    return rows.model._default_manager.filter(pk__in=keys)  # noqa: SLF001  Django's documented name


def is_transient(error: BaseException) -> bool:
    """Return whether ``error``, or one of its causes, is transient.

    These are transient database errors, and configuration that staff or a synchronization is still changing.
    """
    return any(_is_transient(each) for each in iter_causes(error))


def unapplied_migrations(labels: Collection[str]) -> list[Migration]:
    """Return the migrations of the apps with these labels that are not applied to the database."""
    executor = MigrationExecutor(connection)
    targets = [node for node in executor.loader.graph.leaf_nodes() if node[0] in labels]
    return [migration for migration, _ in executor.migration_plan(targets) if migration.app_label in labels]


def refresh_connections() -> None:
    """Close the database connections that are not in a transaction, so that the next query opens new ones."""
    for each in connections.all(initialized_only=True):
        if not each.in_atomic_block:
            with suppress(DatabaseError):
                each.close()


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, ConfigurationChanged):
        return True
    if isinstance(error, InterfaceError):
        return True  # "connection already closed", "server has gone away": never about the statement
    if not isinstance(error, OperationalError):
        return False
    driver_error = error.__cause__ or error
    state = getattr(driver_error, "sqlstate", None) or getattr(driver_error, "pgcode", None)
    if state is not None:
        return str(state).startswith(POSTGRES_TRANSIENT)
    code = error.args[0] if error.args else None
    if isinstance(code, int):
        return code in MYSQL_TRANSIENT
    return type(driver_error).__module__ != "sqlite3" or any(word in str(error).lower() for word in SQLITE_TRANSIENT)
