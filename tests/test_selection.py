"""What reaches the database of a run, and so runs on each database server; and what runs first."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from tests.selection import begin_with_the_longest, deselect_without_database, reaches_database


def test_a_test_that_asks_for_nothing_cannot(request: pytest.FixtureRequest) -> None:
    assert not reaches_database(request.node)


@pytest.mark.django_db
def test_a_marked_test_can(request: pytest.FixtureRequest) -> None:
    assert reaches_database(request.node)


def test_a_test_with_the_fixture_can(request: pytest.FixtureRequest, db: None) -> None:
    assert reaches_database(request.node)


def test_a_test_with_a_fixture_that_needs_it_can(request: pytest.FixtureRequest, admin_client: Any) -> None:
    assert reaches_database(request.node)


@pytest.mark.every_database
def test_a_test_that_reaches_it_in_other_processes_can(request: pytest.FixtureRequest) -> None:
    assert reaches_database(request.node)


@pytest.mark.parametrize(("vendor", "left"), [("sqlite", 1), ("mysql", 0), ("postgresql", 0)])
def test_only_on_a_server_is_a_test_left_out(request: pytest.FixtureRequest, vendor: str, left: int) -> None:
    items: list[pytest.Item] = [request.node]
    config: Any = Mock()
    deselect_without_database(config, items, vendor)
    assert len(items) == left


def test_the_longest_come_first_but_for_those_that_may_empty_the_database() -> None:
    def marked(*names: str) -> Any:
        return Mock(get_closest_marker=lambda name: name in names or None)

    quick, slow, long, limited = marked(), marked("slow"), marked("long"), marked("long", "timeout")
    emptying = marked("slow", "django_db")
    items: list[pytest.Item] = [emptying, quick, slow, long, limited]
    begin_with_the_longest(items)
    assert items == [limited, long, slow, emptying, quick]
