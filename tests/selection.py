"""Which tests a run leaves out: those that this database, or this host, has nothing to say about. And which come first.

On a database server only those tests are run that can reach its database: with one of pytest-django's fixtures or
markers (whoever has neither is refused the connection), or, marked ``every_database``, in processes that they start.
Half of the tests can do neither: pure decisions, simulators, the bus, consumers with an SQLite file of their own. They
run once with each version of Django, on SQLite; on three servers more they would only take their time again.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.db import connection

SANDBOX = Path(__file__).resolve().parents[1] / "sandbox"

# marker -> the databases (Django's names of vendors) on which its tests mean something
DATABASES = {
    "mysql": {"mysql"},
    "postgres": {"postgresql"},
    "concurrency": {"mysql", "postgresql"},
}
# Markers of long tests, longest first: only a test of several minutes has a time limit of its own.
LONGEST = ("timeout", "long", "slow")
# The fixtures that let a test connect, as every other that does depends on one of them; the markers that do.
FIXTURES = {"db", "transactional_db"}
MARKERS = ("django_db", "every_database")


def skip_unfit(items: list[pytest.Item]) -> None:
    """Mark as skipped what is for another database, or about the stand-in inside a real host."""
    for item in items:
        for marker, vendors in DATABASES.items():
            if item.get_closest_marker(marker) and connection.vendor not in vendors:
                item.add_marker(pytest.mark.skip(reason=f"not for {connection.vendor}"))
        if item.get_closest_marker("standin") and not _host_is_the_standin():
            item.add_marker(pytest.mark.skip(reason="the host is a real Credentials checkout"))


def deselect_without_database(config: pytest.Config, items: list[pytest.Item], vendor: str | None = None) -> None:
    """On a database server, take out of ``items`` what cannot reach its database. ``vendor``: that of this run."""
    if (vendor or connection.vendor) == "sqlite":
        return
    left_out = [item for item in items if not reaches_database(item)]
    items[:] = [item for item in items if reaches_database(item)]
    config.hook.pytest_deselected(items=left_out)


def begin_with_the_longest(items: list[pytest.Item]) -> None:
    """Move the tests that take longest to the front: one that began last would run while the other cores idle.

    Those that use the database themselves stay: pytest-django has put those that empty it last.
    """

    def rank(item: pytest.Item) -> int:
        marked = [number for number, name in enumerate(LONGEST) if item.get_closest_marker(name)]
        return min(marked, default=len(LONGEST)) if not item.get_closest_marker("django_db") else len(LONGEST)

    items.sort(key=rank)


def reaches_database(item: pytest.Item) -> bool:
    """Return whether a test can reach the database of this run."""
    fixtures = FIXTURES.intersection(getattr(item, "fixturenames", ()))
    return bool(fixtures) or any(item.get_closest_marker(marker) for marker in MARKERS)


@cache
def _host_is_the_standin() -> bool:
    spec = find_spec("credentials")
    return spec is not None and spec.origin is not None and SANDBOX in Path(spec.origin).parents
