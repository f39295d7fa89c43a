"""Hooks and fixtures that all tests share: which of them a run has (see selection.py), and real servers on demand."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from functools import cache

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.test import override_settings
from django.urls import get_resolver
from django.utils import translation
from pytest_django.plugin import blocking_manager_key

from badges_plugin.distribution import channel_keys, registry
from badges_plugin.distribution.open_badges.backend import OpenBadgesBackend
from sandbox.drills.database import describe
from tests import dialects, migrated
from tests.clock import Clock
from tests.limits import Lower
from tests.selection import begin_with_the_longest, deselect_without_database, skip_unfit
from tests.services import SERVICES, ServiceMissingError


def pytest_configure() -> None:
    # A run that is terminated, as by an interrupted ``.ci/run``, ends as with Ctrl-C: its fixtures stop their servers.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    dialects.watch()
    connection_created.connect(_in_no_order)


def _in_no_order(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """Have SQLite return rows backwards where no order is asked for, so that nobody relies on the order of the keys.

    The servers promise none, and PostgreSQL gives another one once in a while.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA reverse_unordered_selects = ON")


def pytest_xdist_auto_num_workers() -> int:
    """Return one more than there are cores: tests that wait, for a server or a process, leave theirs idle.

    Not on a database server, which uses the cores meanwhile, and where each process must migrate a database of its own.
    """
    return len(os.sched_getaffinity(0)) + (not os.environ.get("DATABASE_URL"))


def pytest_report_header(config: pytest.Config) -> str | None:
    """Name the database server and its version, unless the database is SQLite."""
    if not os.environ.get("DATABASE_URL"):
        return None
    with config.stash[blocking_manager_key].unblock():  # outside of tests, pytest-django lets nobody connect
        return f"database: {describe()}"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector away from thousands of collected tests, which live until the end anyway.

    While they are collected it takes two fifths of the time, and finds nothing.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    skip_unfit(items)
    deselect_without_database(config, items)
    begin_with_the_longest(items)


@pytest.fixture(autouse=True)
def _statements_for_every_database() -> Iterator[None]:
    """A statement that MySQL refuses fails the test also where the code under test goes on after an error."""
    yield
    refused = dialects.found.copy()
    dialects.found.clear()
    assert not refused


@pytest.fixture
def lower(monkeypatch: pytest.MonkeyPatch) -> Lower:
    return Lower(monkeypatch)


@pytest.fixture(autouse=True)
def _new_process() -> None:
    """The rows of which a process keeps the keys are gone with the test that committed them."""
    channel_keys.forget()


@pytest.fixture(autouse=True)
def _language_of_the_site() -> Iterator[None]:
    """A request leaves its language active in the thread, where Django's test client runs it: not for the next test."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Begin with a database that is migrated already, if it is one in memory."""
    if connection.vendor == "sqlite" and connection.settings_dict["TEST"].get("NAME") is None:
        migrated.fill_the_next(migrated.database())


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_signed() -> None:
    """The badges of the site itself have no deliveries, unless a test is about signing them."""
    registry.unregister(OpenBadgesBackend.slug)


@pytest.fixture
def signs_badges() -> Iterator[OpenBadgesBackend]:
    """The site signs its own badges, as by default."""
    backend = OpenBadgesBackend()
    registry.register(backend)
    yield backend
    registry.unregister(backend.slug)


@pytest.fixture(scope="session", autouse=True)
def _addresses() -> None:
    """Read the URLs as a service does when it starts: the first test to need them may switch badges off."""
    assert get_resolver().url_patterns


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hashing a password is slow on purpose; no test is about that."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that the test moves, in the place of Django's."""
    clock = Clock()
    clock.tick_from_now_on(monkeypatch)
    return clock


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
