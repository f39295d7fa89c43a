"""The read side: how far learners are, what they hold, who holds a badge, and what that costs in queries."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges_plugin import api, reading
from badges_plugin.criteria import way_of
from badges_plugin.host import User
from badges_plugin.models import (
    BadgeAward,
    BadgePenalty,
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    DataRule,
    Ending,
    Fulfillment,
    RequirementGroup,
)
from badges_plugin.reading import AwardState, BadgeState, LearnerProgress
from tests.factories import (
    COURSE,
    PASSING,
    at,
    make_template,
    make_user,
    needs_badge,
    penalizes,
    penalizes_failing,
    requires,
    requires_course,
    send_passing,
)

pytestmark = pytest.mark.django_db

ALGEBRA, LOGIC, ART = (f"course-v1:edX+{name}+1" for name in ("Algebra", "Logic", "Art"))


def of(user: User, template: BadgeTemplate) -> LearnerProgress:
    return reading.progress([user.pk], [template.pk])[user.pk, template.pk]


def any_of_three(count: int) -> BadgeTemplate:
    """Make a template that asks for some of three courses, counted by the course."""
    template = make_template()
    requirement = requires(
        template,
        ("is_passing", "eq", "true"),
        ("course.course_key", "in", "\n".join((ALGEBRA, LOGIC, ART))),
    )
    requirement.count, requirement.counted_by = count, "course.course_key"
    requirement.save()
    return template


def register(user: User, template: BadgeTemplate, course: str, minute: int = 0, *, passed: bool = True) -> None:
    """Store what an event about a counted course leaves behind."""
    requirement = template.requirements.get()
    progress, _ = BadgeProgress.objects.get_or_create(user=user, template=template)
    way = way_of(requirement.count, requirement.counted_by)
    Fulfillment.objects.create(
        progress=progress,
        requirement=requirement,
        value_key=way.key_of_value(course),
        value=course,
        is_fulfilled=passed,
        made_under=requirement.validity().current if passed else "",
        event_id=uuid.UUID(int=minute),
        event_type=PASSING,
        event_time=at(minute),
        since=at(minute),
    )


# --- progress


def test_nothing_happened_yet() -> None:
    template, user = any_of_three(2), make_user()
    found = of(user, template)
    assert (found.id, found.state, found.is_complete, found.share) == (None, BadgeState.ON_THE_WAY, False, 0.0)
    [requirement] = found.groups[0].requirements
    assert requirement.explanation == f"0 of 2 courses; missing: {ALGEBRA}, {ART}, {LOGIC}"


def test_counted_courses_say_which_count_and_which_are_missing() -> None:
    template, user = any_of_three(2), make_user()
    register(user, template, ALGEBRA)
    register(user, template, LOGIC, 24 * 60, passed=False)
    [requirement] = of(user, template).groups[0].requirements
    assert (requirement.done, requirement.needed, requirement.is_fulfilled) == (1, 2, False)
    assert (requirement.counted, requirement.missing) == ((ALGEBRA,), (ART, LOGIC))
    assert requirement.explanation == (
        f"1 of 2 courses; missing: {ART}, {LOGIC}; last event: {LOGIC}: failed on Jan. 2, 2026"
    )
    assert of(user, template).share == 0.5


def test_what_events_did_is_what_is_read() -> None:
    template, user = any_of_three(2), make_user()
    penalizes(template, [template.requirements.get()], ("is_passing", "eq", "false"))
    send_passing(user, ALGEBRA)
    send_passing(user, ART, minute=1)
    assert of(user, template).state is BadgeState.HELD
    send_passing(user, ART, is_passing=False, minute=2)
    found = of(user, template)
    [requirement] = found.groups[0].requirements
    assert (found.state, requirement.counted, requirement.missing) == (BadgeState.REVOKED, (ALGEBRA,), (ART, LOGIC))
    assert requirement.explanation.startswith(f"1 of 2 courses; missing: {ART}, {LOGIC}; last event: {ART}: failed on")


def test_a_period_is_told_and_counts() -> None:
    template, user = make_template(), make_user()
    requires(template, ("is_passing", "eq", "true"), ("event.time", "gte", "2026-01-02"))
    send_passing(user)
    [group] = of(user, template).groups
    assert (group.sentence, group.is_fulfilled) == ("Pass any course, not before Jan. 2, 2026", False)


def test_more_than_enough_is_all_and_nothing_is_missing() -> None:
    template, user = any_of_three(2), make_user()
    for minute, course in enumerate((ALGEBRA, LOGIC, ART)):
        register(user, template, course, minute)
    found = of(user, template)
    [requirement] = found.groups[0].requirements
    assert (requirement.done, requirement.missing, found.is_complete, found.share) == (2, (), True, 1.0)
    assert found.completed_at == at(1)


def test_titles_of_the_catalog_are_said_instead_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    # The catalog is the host's, and the stand-in has none.
    monkeypatch.setattr("badges_plugin.reading.asking.course_titles", lambda keys: {ALGEBRA: "Algebra", ART: "Art"})
    template, user = any_of_three(2), make_user()
    register(user, template, ALGEBRA)
    [group] = of(user, template).groups
    assert group.sentence == f"Pass at least 2 of: Algebra, Art, {LOGIC}"
    assert group.requirements[0].counted == ("Algebra",)


def test_a_group_asks_for_a_number_of_its_requirements() -> None:
    template, user = make_template(), make_user()
    group = RequirementGroup.named(template, "Math")
    group.needed = 2
    group.save()
    for course in (ALGEBRA, LOGIC, ART):
        requires_course(template, course, group="Math")
    send_passing(user, LOGIC)
    [found] = of(user, template).groups
    assert (found.name, found.done, found.needed, found.is_fulfilled, found.share) == ("Math", 1, 2, False, 0.5)
    assert [each.explanation for each in found.requirements] == [
        "not fulfilled",
        "fulfilled; last event: passed on Jan. 1, 2026",
        "not fulfilled",
    ]


def test_groups_in_order_say_whose_turn_it_is() -> None:
    template, user = make_template(in_order=True), make_user()
    for position, course in ((2, ALGEBRA), (1, LOGIC), (3, ART)):
        requirement = requires_course(template, course)
        requirement.position = position
        requirement.save()
    send_passing(user, LOGIC)
    found = of(user, template)
    assert [(group.sentence, group.is_fulfilled, group.is_next) for group in found.groups] == [
        (f"Pass {LOGIC}", True, False),
        (f"Pass {ALGEBRA}", False, True),
        (f"Pass {ART}", False, False),
    ]
    assert found.next_step == found.groups[1]
    assert reading.criteria([template.pk])[template.pk].sentences == (
        f"First: Pass {LOGIC}",
        f"Then: Pass {ALGEBRA}",
        f"Then: Pass {ART}",
    )


def held(template: BadgeTemplate, user: User) -> None:
    send_passing(user)


def revoked(template: BadgeTemplate, user: User) -> None:
    send_passing(user)
    send_passing(user, is_passing=False, minute=1)


def expired(template: BadgeTemplate, user: User) -> None:
    send_passing(user)
    BadgeAward.objects.update(ended_by=Ending.EXPIRED, revoked_at=timezone.now())


def expired_but_not_ended_yet(template: BadgeTemplate, user: User) -> None:
    send_passing(user)
    BadgeAward.objects.update(expires_at=timezone.now() - timedelta(minutes=1))


def on_the_way(template: BadgeTemplate, user: User) -> None:
    requires_course(template, LOGIC)
    send_passing(user)


@pytest.mark.parametrize(
    ("happen", "state", "is_complete"),
    [
        (held, BadgeState.HELD, True),
        (revoked, BadgeState.REVOKED, False),
        (expired, BadgeState.EXPIRED, True),
        (expired_but_not_ended_yet, BadgeState.EXPIRED, True),
        (on_the_way, BadgeState.ON_THE_WAY, False),
    ],
)
def test_the_state_of_a_badge(
    happen: Callable[[BadgeTemplate, User], None], state: BadgeState, is_complete: bool
) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    happen(template, user)
    found = of(user, template)
    assert (found.state, found.is_complete) == (state, is_complete)


@pytest.mark.parametrize(
    ("decide", "explanation"),
    [
        (None, "not fulfilled; last event: passed on Jan. 1, 2026; 1 does not count: it was done under earlier rules"),
        (
            api.forget_fulfillments,
            "not fulfilled; last event: passed on Jan. 1, 2026; 1 was forgotten by staff when the rules changed",
        ),
        (api.keep_fulfillments, "fulfilled; last event: passed on Jan. 1, 2026"),
    ],
)
def test_what_was_done_under_earlier_rules_is_told(decide: Any, explanation: str) -> None:
    template, user = make_template(), make_user()
    requirement = requires_course(template)
    send_passing(user)
    requirement.rules.filter(key_path="course.course_key").update(value=LOGIC)
    if decide:
        decide(requirement)
    assert of(user, template).groups[0].requirements[0].explanation == explanation


def test_stored_progress_is_read_by_its_key() -> None:
    template, user = make_template(), make_user()
    requires_course(template)
    send_passing(user)
    row = BadgeProgress.objects.get()
    assert reading.progress_rows([row.pk, 0]) == {row.pk: of(user, template)}


# --- awards


def test_the_awards_of_a_learner_say_how_they_ended_and_why() -> None:
    template, user = make_template(name="Math"), make_user()
    penalizes_failing(template, requires_course(template))
    send_passing(user)
    api.revoke_award(BadgeAward.objects.get(), reason="Copied the exam")
    send_passing(user, is_passing=False, minute=1)
    send_passing(user, minute=2)
    newest, first = reading.awards_of_learners([user.pk])[user.pk]
    assert (newest.state, newest.number, newest.ending_text, newest.template_name) == (AwardState.HELD, 2, "", "Math")
    assert (first.state, first.ending, first.reason) == (AwardState.REVOKED, "by_hand", "Copied the exam")
    assert first.ended_at is not None
    assert first.ending_text
    assert reading.awards_of_learners([0]) == {0: ()}


def test_holders_come_in_pages_and_only_while_they_hold_it() -> None:
    template = make_template()
    requires_course(template)
    users = [make_user() for _ in range(5)]
    for user in users:
        send_passing(user)
    awards = {award.progress.user_id: award for award in BadgeAward.objects.select_related("progress")}
    api.revoke_award(awards[users[1].pk], reason="Left")
    BadgeAward.objects.filter(pk=awards[users[2].pk].pk).update(expires_at=timezone.now())
    first = reading.holders(template.pk, limit=2)
    assert [holder.username for holder in first.holders] == [users[0].username, users[3].username]
    assert first.next is not None
    last = reading.holders(template.pk, after=first.next, limit=2)
    assert ([holder.award.user_id for holder in last.holders], last.next) == ([users[4].pk], None)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_is_neither_empty_nor_endless(limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        reading.holders(1, limit=limit)


# --- what a badge asks for


def test_all_that_a_badge_asks_for() -> None:
    template = make_template(valid_days=365, renewal_days=30)
    requirement = requires_course(template)
    penalizes_failing(template, requirement)
    found = reading.criteria([template.pk])[template.pk]
    assert found.sentences == (
        f"Pass {COURSE}",
        f"Lost when the grade in {COURSE} drops below passing",
        "Valid for 1 year",
        "Can be renewed from 30 days before it expires",
    )
    assert found.penalties[0].takes_away == (f"Pass {COURSE}",)
    assert found.groups[0].requirements[0].rules == f"course.course_key is {COURSE} and is_passing is true"


def test_a_badge_that_asks_for_nothing_and_one_that_is_not_there() -> None:
    template = make_template(is_active=False)
    assert reading.criteria([template.pk, 0]).keys() == {template.pk}
    assert reading.criteria([template.pk])[template.pk].sentences == ()


def test_a_needed_badge_has_no_rules_to_tell() -> None:
    template = make_template()
    needs_badge(template, make_template(name="Algebra"))
    told = reading.criteria([template.pk])[template.pk].groups[0].requirements[0]
    assert (told.sentence, told.rules) == ("Earn the badge “Algebra”", "")


# --- promises


def test_facts_are_frozen_and_hold_no_rows() -> None:
    template, user = make_template(), make_user()
    requires_course(template)
    send_passing(user)
    found: list[Any] = [
        of(user, template),
        reading.criteria([template.pk])[template.pk],
        reading.holders(template.pk),
        reading.awards_of_learners([user.pk])[user.pk][0],
    ]
    for each in found:
        assert_plain(each)
        with pytest.raises(FrozenInstanceError):
            setattr(each, fields(each)[0].name, None)


def assert_plain(value: Any) -> None:
    assert not isinstance(value, models.Model | models.QuerySet)
    if is_dataclass(value):
        for field in fields(value):
            assert_plain(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            assert_plain(item)


def populate(count: int) -> None:
    """Set up badges with a requirement and a penalty each, and a learner on the way to each."""
    site = make_template().site
    templates = [BadgeTemplate(site=site, name=f"Badge {uuid.uuid4()}", is_active=True) for _ in range(count)]
    BadgeTemplate.objects.bulk_create(templates)
    stored = list(BadgeTemplate.objects.filter(name__in=[template.name for template in templates]).order_by("pk"))
    BadgeRequirement.objects.bulk_create(BadgeRequirement(template=each, event_type=PASSING) for each in stored)
    requirements = list(BadgeRequirement.objects.filter(template__in=stored).order_by("template"))
    DataRule.objects.bulk_create(
        DataRule(requirement=each, key_path="course.course_key", operator="eq", value=f"course-v1:D+C{each.pk}+1")
        for each in requirements
    )
    BadgePenalty.objects.bulk_create(BadgePenalty(template=each, event_type=PASSING) for each in stored)
    penalties = BadgePenalty.objects.filter(template__in=stored).order_by("template")
    for requirement, penalty in zip(requirements, penalties, strict=True):
        penalty.requirements.through.objects.create(badgepenalty=penalty, badgerequirement=requirement)
    users = [make_user() for _ in stored]
    BadgeProgress.objects.bulk_create(
        BadgeProgress(user=user, template=each) for user, each in zip(users, stored, strict=True)
    )
    Fulfillment.objects.bulk_create(
        Fulfillment(
            progress=BadgeProgress.objects.get(template=each.template_id),
            requirement=each,
            is_fulfilled=True,
            event_id=uuid.uuid4(),
            event_type=PASSING,
            event_time=at(0),
        )
        for each in requirements
    )


READS: dict[str, tuple[int, Callable[[list[int], list[int], list[int]], object]]] = {
    "criteria": (6, lambda users, templates, rows: reading.criteria(templates)),
    "progress": (6, lambda users, templates, rows: reading.progress(users[:10], templates)),
    "progress_rows": (6, lambda users, templates, rows: reading.progress_rows(rows)),
    "awards_of_learners": (1, lambda users, templates, rows: reading.awards_of_learners(users)),
    "holders": (1, lambda users, templates, rows: reading.holders(templates[0])),
}


@pytest.mark.parametrize("name", READS)
def test_a_fixed_number_of_queries_for_any_number_of_rows(name: str) -> None:
    limit, read = READS[name]

    def cost() -> int:
        models: tuple[Any, ...] = (User, BadgeTemplate, BadgeProgress)
        users, templates, rows = (list(model.objects.order_by("pk").values_list("pk", flat=True)) for model in models)
        with CaptureQueriesContext(connection) as captured:
            read(users, templates, rows)
        return len(captured)

    populate(1)
    few = cost()
    populate(99)
    assert cost() == few
    # One more where the host has a catalog: the titles of courses.
    assert few <= limit + apps.is_installed("credentials.apps.catalog")
