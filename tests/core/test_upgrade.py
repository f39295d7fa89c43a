"""Migrate from the first tables to today's, with rows in all of them; and run commands before the tables exist."""

from __future__ import annotations

import uuid
from importlib import import_module
from typing import Any
from unittest.mock import Mock

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import OperationalError, connection, models
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from badges_plugin import removal
from badges_plugin.host import AWARDED, REVOKED, UserCredential
from badges_plugin.models import (
    BadgeAward,
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    Learner,
    RequirementGroup,
)
from tests.core.migrating import awarded, host_credential, to_newest
from tests.factories import PASSING
from tests.limits import Lower

LABELS = ("badges_plugin", "badges_distribution", "credly_badges", "accredible_badges")
FIRST = [(label, "0001_initial") for label in LABELS]
# Came later, and refer to tables of theirs as these are today.
LATER = ("open_badges", "badges_web")
BEFORE_NAMES = [("badges_plugin", "0011_detach_leftovers")]


def to(targets: list[tuple[str, str]]) -> Any:
    """Migrate there, and return the models as they were then."""
    executor = MigrationExecutor(connection)
    executor.migrate([*((label, None) for label in LATER), *targets])
    loader = MigrationExecutor(connection).loader
    # The host's tables stay as they are today, which may be newer than what ours once referred to.
    others = [node for node in loader.graph.leaf_nodes() if node[0] not in LABELS + LATER]
    return loader.project_state([*targets, *others]).apps


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


def left_behind() -> list[UserCredential]:
    """Save what stays after a removal that went past the guard: tables dropped by hand, or by an earlier version."""
    template = awarded(2)
    left = [award.credential for award in BadgeAward.objects.select_related("credential").order_by("pk")]
    BadgeProgress.objects.all().delete()
    template.delete()
    return left


def rows_of_every_table(old: Any) -> dict[str, set[Any]]:
    ours = [model for model in old.get_models(include_auto_created=True) if model._meta.app_label in LABELS]
    made = {model: row for model in ours if (row := model.objects.order_by("pk").first())}
    for model in ours:
        fill(model, made)
    rows = {model._meta.label: set(model.objects.values_list("pk", flat=True)) for model in ours}
    assert all(rows.values())
    return rows


TEXTS = [
    "either",
    " either ",
    "",
    "  ",
    "Group A",
    "group a",
    "Group  A",
    "x" * 255,
    "X" * 255,
]


def text_groups(old: Any) -> int:
    """Save two templates with groups that are texts; return a fulfilled requirement's key."""
    site = old.get_model("sites", "Site").objects.create(domain="old.example", name="old")
    user = old.get_model("core", "User").objects.create(username="ann")
    templates = [
        old.get_model("badges_plugin", "BadgeTemplate").objects.create(site=site, name=f"Old {number}")
        for number in range(2)
    ]
    requirements = old.get_model("badges_plugin", "BadgeRequirement").objects
    for template in templates:
        for group in TEXTS:
            requirements.create(template=template, event_type=PASSING, group=group)
    progress = old.get_model("badges_plugin", "BadgeProgress").objects.create(user=user, template=templates[0])
    fulfilled = requirements.filter(template=templates[0]).order_by("pk").first()
    old.get_model("badges_plugin", "DataRule").objects.create(
        requirement=fulfilled, key_path="is_passing", operator="eq", value="true"
    )
    stamp = {"event_id": "00000000-0000-4000-8000-000000000001", "event_time": "2026-01-01T00:00Z"}
    old.get_model("badges_plugin", "Fulfillment").objects.create(
        progress=progress, requirement=fulfilled, is_fulfilled=True, event_type=PASSING, **stamp
    )
    return int(fulfilled.pk)


def learners_with_and_without_names(old: Any) -> None:
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


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_what_was_stored_by_any_version_is_what_it_was_in_the_newest(migrated: None, lower: Lower) -> None:
    """One way back and forth for all of it: each takes seconds, and on a server half a minute."""
    left, other = left_behind(), host_credential()
    old = to(FIRST)
    rows, fulfilled = rows_of_every_table(old), text_groups(old)
    learners_with_and_without_names(to(BEFORE_NAMES))
    # More than one step, and one without a name in it.
    lower(import_module("badges_plugin.migrations.0012_named_learners"), AT_ONCE=2)
    to_newest()

    connection.check_constraints()
    c3_every_row_survived(rows)
    e6_text_groups_are_rows_and_fulfillments_are_stamped(fulfilled)
    noted = Learner.objects.filter(user__username__startswith="ada_king").order_by("user__username")
    assert list(noted.values_list("was_named", flat=True)) == [True, True, True, False, False, False, False]
    f6_what_was_left_behind_belongs_to_no_template(left)
    other.refresh_from_db()
    assert (other.credential_id, other.status) == (1, AWARDED)


def c3_every_row_survived(rows: dict[str, set[Any]]) -> None:
    for label, keys in rows.items():
        # They can be read with the columns of today.
        assert keys <= {row.pk for row in apps.get_model(label)._base_manager.all()}, label


def e6_text_groups_are_rows_and_fulfillments_are_stamped(fulfilled: int) -> None:
    for template in BadgeTemplate.objects.filter(name__startswith="Old").order_by("pk"):
        names = [str(row.group or "") for row in template.requirements.select_related("group").order_by("pk")]
        # What was equal is one, what differed stays apart, and people can tell it apart.
        assert names[:7] == ["either", "either", "", "", "Group A", "group a (2)", "Group A (3)"]
        assert names[7:] == ["x" * 255, "X" * 251 + " (2)"]
        assert template.groups.count() == 6
        assert RequirementGroup.named(template, "GROUP A") == template.groups.get(name="Group A")
    requirement = BadgeRequirement.objects.get(pk=fulfilled)
    assert requirement.fulfillments.get().made_under == requirement.validity().current


def f6_what_was_left_behind_belongs_to_no_template(left: list[UserCredential]) -> None:
    for credential in left:
        credential.refresh_from_db()
        assert (credential.credential_id, credential.status) == (credential.pk, REVOKED)
        assert credential.credential_content_type.model_class() is UserCredential


@pytest.mark.django_db
def test_f9_an_error_of_the_database_that_migrate_does_not_cure_stays_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(removal, "count", Mock(side_effect=OperationalError("the database went away")))
    with pytest.raises(OperationalError, match="went away"):
        call_command("badges_remove", "--dry-run")
