"""Environment variables in place of an operator's YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.environment import NO_BUS_PRODUCER, databases, overrides

DEFAULTS = {"events": ["a"], "credly": {"CREDLY_API_BASE_URL": "https://api.example.com", "USE_SANDBOX": False}}


@pytest.mark.parametrize(
    ("environ", "name", "value"),
    [
        ({}, "BADGES_ENABLED", True),
        ({"BADGES_ENABLED": "False"}, "BADGES_ENABLED", False),
        ({}, "BADGES_CONFIG", DEFAULTS),
        (
            {"CREDLY_API_BASE_URL": "http://127.0.0.1:1/"},
            "BADGES_CONFIG",
            {"events": ["a"], "credly": {"CREDLY_API_BASE_URL": "http://127.0.0.1:1/", "USE_SANDBOX": False}},
        ),
        # Key by key within a section; what is no section is replaced.
        (
            {"BADGES_CONFIG_JSON": '{"events": ["b"], "credly": {"USE_SANDBOX": true}, "processing": {"x": 1}}'},
            "BADGES_CONFIG",
            {
                "events": ["b"],
                "credly": {"CREDLY_API_BASE_URL": "https://api.example.com", "USE_SANDBOX": True},
                "processing": {"x": 1},
            },
        ),
        ({}, "EVENT_BUS_PRODUCER", NO_BUS_PRODUCER),
        ({"EVENT_BUS_PRODUCER": "package.create"}, "EVENT_BUS_PRODUCER", "package.create"),
        ({"EVENT_BUS_TOPIC_PREFIX": "demo"}, "EVENT_BUS_TOPIC_PREFIX", "demo"),
        ({"EVENT_BUS_KAFKA_CONSUMER_POLL_TIMEOUT": "0.5"}, "EVENT_BUS_KAFKA_CONSUMER_POLL_TIMEOUT", 0.5),
        ({"EVENT_BUS_PRODUCER_CONFIG": '{"a.v1": {}}'}, "EVENT_BUS_PRODUCER_CONFIG", {"a.v1": {}}),
    ],
)
def test_overrides(environ: dict[str, str], name: str, value: Any) -> None:
    assert overrides(environ, DEFAULTS)[name] == value


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"BADGES_ENABLED": "maybe"}, "BADGES_ENABLED"),
        ({"BADGES_CONFIG_JSON": "[]"}, "BADGES_CONFIG_JSON"),
        ({"BADGES_CONFIG_JSON": "{"}, "BADGES_CONFIG_JSON"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_name(environ: dict[str, str], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        overrides(environ, DEFAULTS)


def test_sqlite_unless_told_otherwise(tmp_path: Path) -> None:
    database = databases({}, tmp_path / "var")["default"]

    assert database["ENGINE"] == "django.db.backends.sqlite3"
    assert Path(database["NAME"]) == tmp_path / "var" / "credentials.sqlite3"
    assert (tmp_path / "var").is_dir()


@pytest.mark.parametrize(
    ("url", "engine", "options"),
    [
        (
            "mysql://ada:secret@127.0.0.1:3306/credentials",
            "django.db.backends.mysql",
            {"charset": "utf8mb4", "init_command": "SET sql_mode='STRICT_TRANS_TABLES'"},
        ),
        ("postgres://ada:secret@127.0.0.1:5432/credentials", "django.db.backends.postgresql", {}),
    ],
)
def test_database_servers(tmp_path: Path, url: str, engine: str, options: dict[str, str]) -> None:
    database = databases({"DATABASE_URL": url}, tmp_path / "var")["default"]

    assert database["ENGINE"] == engine
    assert database["OPTIONS"] == options
    assert database["NAME"] == "credentials"
    assert not (tmp_path / "var").exists()
