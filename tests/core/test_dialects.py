"""Statements and tables are such that every database takes them: MySQL is the one that most sites have."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.migrations import RunPython, RunSQL
from django.db.migrations.loader import MigrationLoader
from django.db.models import Exists, Model, OuterRef, UniqueConstraint

from badges_plugin.database import by_key
from badges_plugin.models import BadgeTemplate
from tests import dialects
from tests.factories import TemplateFactory

APPS = [config.label for config in apps.get_app_configs() if config.name.startswith("badges_plugin")]
MODELS = [model for label in APPS for model in apps.get_app_config(label).get_models(include_auto_created=True)]
MAX_KEY_LENGTH = 3072 // 4
"""InnoDB's longest key, in characters of utf8mb4."""


@pytest.mark.parametrize(
    ("sql", "is_refused"),
    [
        ('UPDATE "t" SET "a" = 1 WHERE "t"."id" IN (SELECT U0."id" FROM "t" U0)', True),
        ("UPDATE `t` SET `a` = 1 WHERE `t`.`id` IN (SELECT U0.`id` FROM `t` U0)", True),
        ('UPDATE "t" SET "a" = (SELECT MAX(U0."a") FROM "t" U0)', True),
        ('UPDATE "t" SET "a" = 1 WHERE EXISTS(SELECT 1 FROM "x" U0 INNER JOIN "t" U1 ON (1 = 1))', True),
        ('UPDATE "t" SET "a" = 1 WHERE "t"."id" IN (SELECT U0."t_id" FROM "x" U0)', False),
        ('UPDATE "t" SET "a" = 1 WHERE "t"."id" IN (SELECT U0."t_id" FROM "t2" U0)', False),
        ('UPDATE "t" SET "a" = "t"."a" + 1 WHERE "t"."id" IN (1, 2)', False),
        # As Django deletes by a condition on another table; for MySQL it writes a join.
        ('DELETE FROM "t" WHERE "t"."id" IN (SELECT "t"."id" FROM "t" INNER JOIN "x" ON (1 = 1))', False),
        ('DELETE FROM "t" WHERE "t"."id" IN (SELECT U0."id" FROM "t" U0 WHERE EXISTS(SELECT 1 FROM "t" U1))', True),
        ('SELECT 1 FROM "t" WHERE "t"."id" IN (SELECT U0."id" FROM "t" U0)', False),
        ('SELECT 1 FROM "t" WHERE "t"."id" IN (SELECT U0."id" FROM "t" U0 WHERE (U0."a" = 1) LIMIT 3)', True),
        ('SELECT 1 FROM "t" WHERE EXISTS(SELECT 1 AS "a" FROM "t" U0 LIMIT 1)', False),
        ('SELECT 1 FROM "t" WHERE "t"."id" IN (SELECT U0."id" FROM "t" U0) LIMIT 3', False),
        ('INSERT INTO "t" ("a") VALUES (1) ON CONFLICT("a", "b") DO UPDATE SET "c" = EXCLUDED."c"', True),
        ('INSERT INTO "t" ("id") VALUES (1) ON CONFLICT("id") DO UPDATE SET "b" = EXCLUDED."b"', False),
        ('INSERT INTO "t" ("a") VALUES (1) ON CONFLICT DO NOTHING', False),
    ],
)
def test_a1_a_statement_that_mysql_refuses_is_known(sql: str, is_refused: bool) -> None:
    assert bool(dialects.refusal(sql)) == is_refused


@pytest.mark.django_db
def test_a1_a_statement_that_mysql_refuses_fails_a_test_on_any_database() -> None:
    itself = BadgeTemplate.objects.filter(pk=OuterRef("pk"))
    with pytest.raises(AssertionError, match="error 1093"):
        super(type(BadgeTemplate.objects.all()), BadgeTemplate.objects.filter(Exists(itself))).update(name="Changed")
    dialects.found.clear()


@pytest.mark.django_db
def test_a1_rows_chosen_by_a_condition_on_their_own_table_are_updated_by_key() -> None:
    wanted, other = TemplateFactory.create(), TemplateFactory.create()
    itself = BadgeTemplate.objects.filter(pk=OuterRef("pk"), uuid=wanted.uuid)
    assert by_key(BadgeTemplate.objects.filter(Exists(itself))).update(name="Changed") == 1
    other.refresh_from_db()
    assert other.name != "Changed"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a1_constraints_are_such_as_mysql_enforces(model: type[Model]) -> None:
    """Django leaves out on MySQL what a unique constraint has beyond its fields, and only warns of it."""
    unique = [constraint for constraint in model._meta.constraints if isinstance(constraint, UniqueConstraint)]
    for constraint in unique:
        _path, _arguments, options = constraint.deconstruct()
        assert options.keys() <= {"fields", "name"}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a1_keys_are_no_longer_than_mysql_keeps_them(model: type[Model]) -> None:
    options = model._meta
    keys = [[field.name] for field in options.local_fields if field.unique or getattr(field, "db_index", False)]
    keys += [list(key.fields) for key in [*options.indexes, *options.constraints] if getattr(key, "fields", None)]
    for names in keys:
        lengths = [getattr(options.get_field(name.lstrip("-")), "max_length", None) or 8 for name in names]
        assert sum(lengths) <= MAX_KEY_LENGTH, names


def test_a1_a_migration_changes_tables_or_rows_and_never_both() -> None:
    """Where changes of tables are no part of a transaction, one that fails between the two could not be run again."""
    loaded = MigrationLoader(None).disk_migrations
    ours = {str(migration): migration.operations for (app, _), migration in loaded.items() if app in APPS}
    kinds = {name: {isinstance(each, RunPython | RunSQL) for each in operations} for name, operations in ours.items()}
    assert kinds
    assert [name for name, found in kinds.items() if len(found) > 1] == []
