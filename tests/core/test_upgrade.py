"""Migrate from the first tables to today's, with rows in all of them; and run commands before the tables exist."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from importlib import import_module
from io import StringIO
from typing import Any
from unittest.mock import Mock

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, models
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from badges_plugin import removal
from badges_plugin.distribution import worker
from badges_plugin.models import Learner
from tests.factories import PASSING
from tests.limits import Lower
from tests.migrated import begin_again

LABELS = ("badges_plugin", "badges_distribution", "credly_badges", "accredible_badges", "open_badges")
FIRST = [(label, "0001_initial") for label in LABELS]
BEFORE_NAMES = [("badges_plugin", "0011_detach_leftovers")]


@pytest.fixture
def migrated() -> Iterator[None]:
    """Make all tables again after the test, whatever it dropped."""
    yield
    if not begin_again(connection):
        to_newest()


def to(targets: list[tuple[str, str]]) -> Any:
    """Migrate there, and return the models as they were then."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    loader = MigrationExecutor(connection).loader
    # The host's tables stay as they are today, which may be newer than what ours once referred to.
    others = [node for node in loader.graph.leaf_nodes() if node[0] not in LABELS]
    return loader.project_state([*targets, *others]).apps


def to_newest() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def fill(model: Any, made: dict[Any, Any]) -> Any:
    """Make a row of a model with something in each column, after the rows that it refers to."""
    if model in made:
        return made[model]
    made[model] = None  # what refers to itself stays empty there
    values = {}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.AutoField | models.BigAutoField):
            continue
        if field.is_relation:
            values[field.name] = fill(field.related_model, made)
        elif not field.has_default() and not getattr(field, "auto_now", False) and not field.null:
            values[field.name] = something(field)
    made[model] = model.objects.create(**{name: value for name, value in values.items() if value is not None})
    return made[model]


def something(field: models.Field[Any, Any]) -> Any:
    if field.choices:
        return next(iter(field.choices))[0]
    if field.name == "event_type":
        return PASSING
    examples: list[tuple[Any, Any]] = [
        (models.DateTimeField, timezone.now()),
        (models.BooleanField, True),
        (models.IntegerField, 1),
        (models.FloatField, 1.0),
        (models.UUIDField, uuid.uuid4()),
        (models.JSONField, {}),
        (models.BinaryField, b"x"),
        (models.CharField | models.TextField, "x"),
    ]
    return next(value for kind, value in examples if isinstance(field, kind))


@pytest.mark.django_db(transaction=True)
def test_c3_every_row_of_the_first_tables_survives_all_migrations(migrated: None) -> None:
    old, made = to(FIRST), dict[Any, Any]()
    ours = [model for model in old.get_models(include_auto_created=True) if model._meta.app_label in LABELS]
    for model in ours:
        fill(model, made)
    rows = {model._meta.label: model.objects.count() for model in ours}
    assert set(rows.values()) == {1}

    to_newest()

    connection.check_constraints()
    assert {label: apps.get_model(label)._base_manager.count() for label in rows} == rows
    for label in rows:
        apps.get_model(label)._base_manager.get()  # and can be read with the columns of today


# Every command of ours that looks into the database without anything else being set up.
COMMANDS = [
    ("badges_remove", "--dry-run"),
    ("badges_remove", "--no-input"),
    ("badges_rotate_keys",),
    ("badges_sign_awards", "--dry-run"),
    ("badges_reencrypt_keys", "--dry-run"),
    ("badges_reencrypt_keys",),
    ("badges_backfill", os.devnull),
    ("deliver_badges", "--once"),
    ("process_failed_events",),
    ("process_failed_events", "--dry-run"),
    ("purge_deliveries", "--dry-run"),
    ("purge_failed_events", "--older-than=3"),
    ("purge_failed_events", "--username=ada"),
    ("poll_accredible_credentials",),
    ("poll_credly_events",),
    ("sync_accredible_badge_templates",),
    ("sync_credly_badge_templates",),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("label", ["badges_plugin", "badges_distribution"])
def test_f9_without_our_tables_every_command_says_to_run_migrate_and_the_doctor_examines_the_rest(
    migrated: None, lower: Lower, label: str
) -> None:
    lower(worker, _MAX_ERRORS_ONCE=1)
    call_command("migrate", label, "zero", verbosity=0)
    tables = set(connection.introspection.table_names())
    for command, *arguments in COMMANDS:
        looks_there = label == "badges_plugin" or command.startswith(("deliver", "purge_deliveries"))
        if not looks_there:
            continue
        with pytest.raises(CommandError) as refusal:
            call_command(command, *arguments, stdout=StringIO())
        assert str(refusal.value).endswith("Run manage.py migrate first."), command
        assert len(str(refusal.value).splitlines()) == 1
    said = StringIO()
    with pytest.raises(SystemExit):
        call_command("badges_doctor", "--reach", "database", stdout=said)
    assert "migrations of badges are not applied" in said.getvalue()
    assert set(connection.introspection.table_names()) == tables


@pytest.mark.django_db
def test_f9_an_error_of_the_database_that_migrate_does_not_cure_stays_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(removal, "count", Mock(side_effect=OperationalError("the database went away")))
    with pytest.raises(OperationalError, match="went away"):
        call_command("badges_remove", "--dry-run")


@pytest.mark.django_db(transaction=True)
def test_c3_who_has_a_name_at_the_upgrade_was_named(migrated: None, lower: Lower) -> None:
    old = to(BEFORE_NAMES)
    names: list[dict[str, Any]] = [
        {"full_name": "Ada Lovelace"},
        {"full_name": None, "first_name": "Ada"},
        {"full_name": "ada@example.org", "last_name": "Lovelace"},
        {"full_name": None},
        {"full_name": "  "},
        {"full_name": "ada@example.org"},
        {"full_name": "1815"},
    ]
    for number, each in enumerate(names):
        user = old.get_model("core", "User").objects.create(username=f"ada_king{number}", **each)
        old.get_model("badges_plugin", "Learner").objects.create(user=user, profile_time=timezone.now())
    old.get_model("core", "User").objects.create(username="nobody_of_ours", full_name="Bob")

    # More than one step, and one without a name in it.
    lower(import_module("badges_plugin.migrations.0012_named_learners"), AT_ONCE=2)
    to_newest()

    noted = list(Learner.objects.order_by("user__username").values_list("was_named", flat=True))
    assert noted == [True, True, True, False, False, False, False]
