"""A kept database is used for as long as the same migrations made it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db.utils import ConnectionHandler

from tests import migrated


def test_another_migration_means_another_database(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"badges_plugin": "other_migrations"}
    names = []
    (tmp_path / "other_migrations").mkdir()
    for file, text in [("__init__", ""), ("0001_one", "a = 1"), ("0001_one", "a = 2"), ("0002_two", "a = 1")]:
        (tmp_path / "other_migrations" / f"{file}.py").write_text(text)
        names.append(migrated.name())
    assert len(set(names)) == len(names)
    assert migrated.name() == names[-1]


def test_only_the_next_database_in_memory_is_filled(tmp_path: Path, django_db_blocker: Any) -> None:
    kept = tmp_path / "kept.sqlite3"
    with closing(sqlite3.connect(kept)) as database:
        database.execute("CREATE TABLE kept (id)")
    names = {"default": str(tmp_path / "file.sqlite3"), "first": ":memory:", "second": ":memory:"}
    databases = ConnectionHandler(
        {alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": name} for alias, name in names.items()}
    )
    migrated.fill_the_next(kept)
    with django_db_blocker.unblock():
        tables = {alias: databases[alias].introspection.table_names() for alias in names}
        databases.close_all()
    assert tables == {"default": [], "first": ["kept"], "second": []}
