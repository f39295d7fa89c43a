"""What all tests share: which of them fit this database and this host, and real servers on demand."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.plugin import blocking_manager_key

from sandbox.drills.database import describe
from tests import dialects
from tests.services import SERVICES, ServiceMissingError

SANDBOX = Path(__file__).resolve().parents[1] / "sandbox"

# marker -> the databases (Django's names of vendors) on which its tests mean something
DATABASES = {
    "mysql": {"mysql"},
    "postgres": {"postgresql"},
    "concurrency": {"mysql", "postgresql"},
}


def pytest_configure() -> None:
    # Who ends a run, as ``.ci/run`` does when it is interrupted, gets what Ctrl-C gets: fixtures stop their servers.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    dialects.watch()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which server, in which version, unless it is SQLite."""
    if not os.environ.get("DATABASE_URL"):
        return None
    with config.stash[blocking_manager_key].unblock():  # outside of tests, pytest-django lets nobody connect
        return f"database: {describe()}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker, vendors in DATABASES.items():
            if item.get_closest_marker(marker) and connection.vendor not in vendors:
                item.add_marker(pytest.mark.skip(reason=f"not for {connection.vendor}"))
        if item.get_closest_marker("standin") and not _host_is_the_standin():
            item.add_marker(pytest.mark.skip(reason="the host is a real Credentials checkout"))


@pytest.fixture(autouse=True)
def _statements_for_every_database() -> Iterator[None]:
    """A statement that MySQL refuses fails the test also where the code under test goes on after an error."""
    yield
    refused = dialects.found.copy()
    dialects.found.clear()
    assert not refused


@pytest.fixture(scope="session")
def service() -> Iterator[Callable[[str], Mapping[str, str]]]:
    """Start a real server of ``tests.services`` by name, once, and return the environment that leads to it.

    A program that is not installed skips the test, and fails it where BADGES_REQUIRE_SERVICES is 1, as in CI.
    """
    with ExitStack() as stack:

        @cache
        def start(name: str) -> Mapping[str, str]:
            try:
                return stack.enter_context(SERVICES[name]())
            except ServiceMissingError as error:
                if os.environ.get("BADGES_REQUIRE_SERVICES") == "1":
                    raise
                pytest.skip(str(error))

        yield start


@cache
def _host_is_the_standin() -> bool:
    spec = find_spec("credentials")
    return spec is not None and spec.origin is not None and SANDBOX in Path(spec.origin).parents
