"""One browser and one service for all tests, which find the same world. A test opens windows to look through."""

from __future__ import annotations

import inspect
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from django.test.utils import setup_databases, teardown_databases
from django.utils import timezone

from badges_plugin.distribution import registry
from badges_plugin.distribution.open_badges.backend import OpenBadgesBackend
from tests import migrated
from tests.browser.arabic import ARABIC
from tests.browser.serving import Service, is_in_memory, live_service
from tests.browser.window import Programs, Window, find_programs, launched, open_window
from tests.browser.world import TODAY, Calendar, World, make_world
from tests.catalog import write_catalog
from tests.distribution.worlds import settings_of_deliveries
from tests.factories import make_user
from tests.services import ServiceMissingError

if TYPE_CHECKING:  # not installed for the other tests
    from playwright.sync_api import Browser

Open = Callable[..., Window]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They are long, and about pages that the stand-in serves: a real checkout has its own way to sign in."""
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.long)
            item.add_marker(pytest.mark.standin)
            if isinstance(item, pytest.Function) and "picture_for_docs(" in inspect.getsource(item.function):
                item.add_marker(pytest.mark.pictures)


@pytest.fixture(scope="package")
def programs() -> Programs:
    """The browser and what drives it. Skips, or fails in CI, where one is missing: before anything is started."""
    try:
        return find_programs()
    except ServiceMissingError as error:
        if os.environ.get("BADGES_REQUIRE_SERVICES") == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="package")
def calendar() -> Iterator[Calendar]:
    """The time of the service: the same in each run, since pages show it."""
    calendar = Calendar(TODAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", calendar)
        yield calendar


@pytest.fixture(scope="package")
def database(programs: Programs, django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A migrated database in memory. pytest-django makes none where all tests are like these."""
    with django_db_blocker.unblock():
        made = []
        if not is_in_memory(connection):
            made = setup_databases(verbosity=0, interactive=False, aliases={connection.alias: True})
        yield
        migrated.begin_again(connection)
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="package")
def world(database: None, calendar: Calendar, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The rows that each test finds, whatever those before it did."""
    catalogs = tmp_path_factory.mktemp("locale")
    write_catalog(catalogs, "ar", ARABIC)
    backend = OpenBadgesBackend()
    registry.register(backend)
    configured = override_settings(
        BADGES_CONFIG={
            "distribution": settings_of_deliveries(),
            "pages": {"support_email": "badges@example.org", "verify_rate": "", "public_rate": ""},
        },
        LOCALE_PATHS=[str(catalogs)],
    )
    with configured:
        cache.clear()
        yield make_world(calendar)
    registry.unregister(backend.slug)


@pytest.fixture(scope="package")
def served(world: World) -> Iterator[Service]:
    with live_service() as service:
        yield service


@pytest.fixture(scope="package")
def registrar(served: Service) -> Any:
    """A member of staff who may do everything."""
    return served.run(make_user, username="registrar", full_name="Ruth Okafor", is_staff=True, is_superuser=True)


@pytest.fixture(scope="package")
def beginning(served: Service, registrar: Any) -> Iterator[sqlite3.Connection]:
    """The database that each test begins with."""
    with closing(served.keep()) as kept:
        yield kept


@pytest.fixture(autouse=True)
def _begin_again(served: Service, beginning: sqlite3.Connection) -> None:
    served.go_back_to(beginning)


@pytest.fixture(scope="package")
def chromium(programs: Programs, served: Service) -> Iterator[Browser]:
    """One browser for all tests. It begins last and ends first: meanwhile this thread cannot use a database."""
    with launched(programs) as browser:
        yield browser


@pytest.fixture
def opened(chromium: Browser, served: Service) -> Iterator[Open]:
    """Open windows. Afterwards nothing may have gone wrong in any: no refusal, no error, no request to elsewhere."""
    windows: list[Window] = []

    def opening(user: Any = None, **options: Any) -> Window:
        windows.append(open_window(chromium, served, user, **options))
        return windows[-1]

    yield opening
    for window in windows:
        window.close()
    assert [problem for window in windows for problem in window.problems] == []
