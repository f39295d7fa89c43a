"""What reaches the database of a run, and so runs on each database server."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from tests.selection import deselect_without_database, reaches_database


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
