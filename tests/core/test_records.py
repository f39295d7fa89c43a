"""What is recorded of the configuration, by whom, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges_plugin import reading
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.models import (
    BadgePenalty,
    BadgeRequirement,
    BadgeTemplate,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
    old_records,
)
from badges_plugin.models.records import BEGAN, PERSON
from badges_plugin.processing import erasure
from tests.core.admin_pages import staff, submit, url
from tests.factories import (
    make_template,
    make_user,
    penalizes_failing,
    requires,
    requires_course,
    send_passing,
)
from tests.limits import Lower

pytestmark = pytest.mark.django_db
RECORDED: tuple[Any, ...] = (
    BadgeTemplate,
    RequirementGroup,
    BadgeRequirement,
    BadgePenalty,
    DataRule,
    PenaltyDataRule,
)
GRADE = ("percent_grade", "gte", "0.6")


def recorded(model: Any) -> list[Any]:
    return list(model.history.order_by("history_id"))


def kinds(model: Any) -> str:
    """Return what happened to the rows of a model, in order: "+~-"."""
    return "".join(record.history_type for record in recorded(model))


def total() -> int:
    return sum(len(recorded(model)) for model in RECORDED)


def rename(template: BadgeTemplate) -> None:
    template.name = "Other"
    template.save()


def save_a_stale_object(template: BadgeTemplate) -> None:
    stale = BadgeTemplate.objects.get(pk=template.pk)
    rename(template)
    stale.is_active = False
    stale.save(update_fields=["is_active"])


def update_many(template: BadgeTemplate) -> None:
    make_template()
    BadgeTemplate.objects.filter(is_active=True).update(is_active=False)


def rewrite_in_bulk(template: BadgeTemplate) -> None:
    template.name = "Other"
    BadgeTemplate.objects.bulk_update([template], ["name"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda template: None, "+"),
        (lambda template: template.save(), "+"),  # as synchronizations do: nothing is different
        (lambda template: BadgeTemplate.objects.update(modified=template.created), "+"),
        (lambda template: BadgeTemplate.objects.update(name=template.name), "+"),
        (rename, "+~"),
        (save_a_stale_object, "+~~"),
        (update_many, "++~~"),
        (rewrite_in_bulk, "+~"),
        (lambda template: template.delete(), "+-"),
        (lambda template: BadgeTemplate.objects.only("pk").filter(pk=template.pk).delete(), "+-"),
    ],
)
def test_each_new_state_of_a_row_is_recorded(change: Callable[[BadgeTemplate], None], expected: str) -> None:
    template = make_template(name="Logic")
    change(template)
    assert kinds(BadgeTemplate) == expected
    for record in recorded(BadgeTemplate):  # the last of each is what is stored, not what was in memory
        stored = BadgeTemplate.objects.filter(pk=record.id).first()
        last = BadgeTemplate.history.filter(id=record.id).order_by("-history_id").first()
        assert stored is None or (stored.name, stored.is_active) == (last.name, last.is_active)


def test_what_is_deleted_with_a_badge_is_recorded_as_it_was() -> None:
    template = make_template()
    requirement = requires_course(template, group="Either")
    penalizes_failing(template, requirement)
    template.delete()
    gone = {model: recorded(model)[-1] for model in RECORDED}
    assert {model: record.history_type for model, record in gone.items()} == dict.fromkeys(RECORDED, "-")
    assert gone[BadgePenalty].linked_ids == [requirement.pk]
    assert {record.value for record in recorded(DataRule) if record.history_type == "-"} == {
        "true",
        "course-v1:Demo+Badges+1",
    }


def test_rows_that_are_inserted_together_are_recorded() -> None:
    template = make_template()
    requirement = requires(
        template, GRADE, event_type="org.openedx.learning.course.persistent_grade_summary.changed.v1"
    )
    DataRule.objects.bulk_create(
        DataRule(requirement=requirement, key_path="percent_grade", operator="lt", value=value)
        for value in ("0.8", "0.9")
    )
    assert [record.value for record in recorded(DataRule)] == ["0.6", "0.8", "0.9"]
    assert {record.id for record in recorded(DataRule)} == set(DataRule.objects.values_list("pk", flat=True))


def test_what_a_penalty_takes_away_is_recorded_from_both_sides() -> None:
    template = make_template()
    first, second = requires_course(template), requires_course(template)
    penalty = penalizes_failing(template, first)
    second.penalties.add(penalty)
    first.penalties.clear()
    penalty.requirements.set([first, second])
    linked = [record.linked_ids for record in recorded(BadgePenalty)]
    assert linked == [[], [first.pk], [first.pk, second.pk], [second.pk], [first.pk, second.pk]]


def test_templates_of_a_backend_are_recorded_as_templates() -> None:
    organization = CredlyOrganization.objects.create(uuid="00000000-0000-4000-8000-000000000001", name="Org")
    template = CredlyBadgeTemplate.objects.create(organization=organization, site=make_template().site, name="Logic")
    template.name = "Proof"
    template.save()
    CredlyBadgeTemplate.objects.filter(pk=template.pk).update(name="Set Theory")
    CredlyBadgeTemplate.objects.filter(pk=template.pk).update(state="archived")  # nothing of the core's
    records = BadgeTemplate.history.filter(id=template.pk)
    template.delete()
    told = records.order_by("history_id").values_list("history_type", "name")
    assert list(told) == [("+", "Logic"), ("~", "Proof"), ("~", "Set Theory"), ("-", "Set Theory")]


def test_records_name_the_person_of_the_request_and_nobody_else() -> None:
    template = make_template(is_active=False)
    client = staff(superuser=True)
    submit(client, url("badgetemplate", "change", template.pk), {"name": "Logic"})
    made, renamed = recorded(BadgeTemplate)
    assert (made.history_user, made.history_change_reason) == (None, "")
    assert (renamed.history_user_id, renamed.history_change_reason) == (int(client.session["_auth_user_id"]), PERSON)
    renamed.history_user.delete()
    renamed.refresh_from_db()
    assert (renamed.history_user, renamed.history_change_reason) == (None, PERSON)


def test_the_person_is_removed_when_they_are_retired() -> None:
    template, person, other = make_template(), make_user(is_staff=True), make_user(is_staff=True)
    rename(template)
    BadgeTemplate.history.filter(history_type="+").update(history_user=other, history_change_reason=PERSON)
    BadgeTemplate.history.filter(history_type="~").update(history_user=person, history_change_reason=PERSON)
    type(person).objects.filter(pk=person.pk).update(username="retired__user_0123456789")
    erasure.sweep()
    assert [record.history_user for record in recorded(BadgeTemplate)] == [other, None]
    assert {record.history_change_reason for record in recorded(BadgeTemplate)} == {PERSON}


def test_events_record_nothing() -> None:
    template = make_template()
    requirement = requires_course(template)
    penalizes_failing(template, requirement)
    before = total()
    with CaptureQueriesContext(connection) as captured:
        user = make_user()
        send_passing(user, minute=1)
        send_passing(user, minute=2, is_passing=False)
    assert total() == before
    assert [query["sql"] for query in captured if "historical" in query["sql"]] == []


def test_an_unchanged_row_costs_three_queries_and_a_change_one_more() -> None:
    template = make_template()

    def about_history() -> int:
        with CaptureQueriesContext(connection) as captured:
            template.save()
        return sum("historical" in query["sql"] for query in captured)

    assert about_history() == 2  # the other one reads the row
    template.name = "Other"
    assert about_history() == 3


def test_the_package_can_be_switched_off() -> None:
    with override_settings(SIMPLE_HISTORY_ENABLED=False):
        template = make_template()
        rename(template)
        BadgeTemplate.objects.update(name="Third")
    assert recorded(BadgeTemplate) == []
    template.delete()
    assert kinds(BadgeTemplate) == "-"


def test_the_history_begins_with_what_there_is_and_can_be_begun_again() -> None:
    requirement = requires_course(make_template(), group="Either")
    penalizes_failing(requirement.template, requirement)
    for model in RECORDED:
        model.history.all().delete()
    begin = import_module("badges_plugin.migrations.0031_history_begins").begin
    begin(apps, None)
    numbers = total()
    begin(apps, None)
    assert total() == numbers == sum(model.objects.count() for model in RECORDED)
    assert {record.history_change_reason for model in RECORDED for record in recorded(model)} == {BEGAN}
    assert recorded(BadgePenalty)[0].linked_ids == [requirement.pk]
    for model in RECORDED:  # saved as they are: the same as what was recorded
        for row in model.objects.order_by("pk"):
            row.save()
    assert total() == numbers


def test_nobody_is_named_who_is_not_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("badges_plugin.host.get_current_user", AnonymousUser)
    make_template()
    assert recorded(BadgeTemplate)[0].history_user is None


def age(model: Any, days: int) -> None:
    model.history.update(history_date=timezone.now() - timedelta(days=days))


@pytest.mark.parametrize("batch", [1, 500])
def test_old_records_are_deleted_but_not_how_things_stand(settings: Any, lower: Lower, batch: int) -> None:
    kept, gone, person = make_template(name="Logic"), make_template(), make_user()
    rename(kept)
    gone.delete()
    BadgeTemplate.history.update(history_user=person, history_change_reason=PERSON)
    age(BadgeTemplate, 40)
    BadgeTemplate.objects.filter(pk=kept.pk).update(name="Newest")
    assert not old_records.purge_a_batch(timezone.now())  # kept forever unless the settings say otherwise
    assert kinds(BadgeTemplate) == "++~-~"

    settings.BADGES_CONFIG = {"retention": {"configuration_history_days": 30}}
    lower(old_records, BATCH=batch)
    while old_records.purge_a_batch(timezone.now()):
        pass
    told = [(record.history_type, record.name, record.history_change_reason) for record in recorded(BadgeTemplate)]
    assert told == [("+", "Other", BEGAN), ("~", "Newest", "")]
    assert recorded(BadgeTemplate)[0].history_user is None
    assert [edit.sentence for change in reading.history_of(kept.pk).changes for edit in change.edits] == [
        "Renamed from “Other” to “Newest”."
    ]
