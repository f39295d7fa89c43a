"""Create a database for one area of drills on the server of ``DATABASE_URL``, and drop it afterwards."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from django.core.management import call_command
from django.db import connection


@contextlib.contextmanager
def own_database() -> Iterator[dict[str, str]]:
    """Make it, with all tables; gives the environment that leads other processes to it. Django is set up."""
    url = os.environ.get("DATABASE_URL")
    if not url or connection.vendor == "sqlite":
        # The settings name a file; whoever runs the drills gave a folder to put it in.
        call_command("migrate", verbosity=0)
        yield {}
        return
    name = f"{connection.settings_dict['NAME']}_drills_{os.getpid()}"
    connection.settings_dict["TEST"]["NAME"] = name
    before = connection.settings_dict["NAME"]
    # What Django's test runner does: nothing of the user's is touched, and every kind of server is known to it.
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield {"DATABASE_URL": urlunsplit(urlsplit(url)._replace(path=f"/{name}"))}
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


def describe() -> str:
    """Return the database server's kind and version, for people."""
    if connection.vendor == "sqlite":
        return "SQLite (a file for several processes: no SKIP LOCKED; set DATABASE_URL for a server)"
    connection.ensure_connection()
    version = ".".join(map(str, connection.get_database_version()))
    if connection.vendor == "mysql" and getattr(connection, "mysql_is_mariadb", False):
        return f"MariaDB {version}"
    return f"{connection.display_name} {version}"
