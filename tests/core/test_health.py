"""The health view."""

from __future__ import annotations

from collections.abc import Callable
from importlib import reload
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from badges_plugin import urls

ADDRESS = "/badges/health/"


@pytest.mark.django_db
def test_says_that_all_is_well_for_one_query_and_without_a_login() -> None:
    with CaptureQueriesContext(connection) as queries:
        response = Client().get(ADDRESS)
    assert (response.status_code, response.json()) == (200, {"status": "ok", "database": True})
    # The middlewares of a real host look up sites and switches besides.
    ours = [query for query in queries.captured_queries if '"badges_' in query["sql"] or "`badges_" in query["sql"]]
    assert len(ours) == 1, queries.captured_queries
    assert "no-store" in response["Cache-Control"]
    assert Client().post(ADDRESS).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_says_when_the_tables_cannot_be_read() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE badges_plugin_rulesetversion RENAME TO away")
    try:
        response = Client().get(ADDRESS)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO badges_plugin_rulesetversion")
    assert (response.status_code, response.json()) == (503, {"status": "unavailable", "database": False})


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error", [OperationalError("server has gone away"), InterfaceError("connection already closed")]
)
def test_says_when_the_database_is_away(error: Exception) -> None:
    def refuse(execute: Callable[..., object], sql: str, *arguments: object) -> object:
        if "badges_" in sql:
            raise error
        return execute(sql, *arguments)

    with connection.execute_wrapper(refuse):
        assert Client().get(ADDRESS).status_code == 503


def test_there_is_no_address_while_badges_are_off(settings: Any) -> None:
    settings.BADGES_ENABLED = False
    assert reload(urls).urlpatterns == []
    settings.BADGES_ENABLED = True
    assert len(reload(urls).urlpatterns) == 1
