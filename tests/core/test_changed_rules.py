"""A fulfillment knows the rules it was made under: what counts after staff changed what learners had fulfilled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from badges_plugin import api
from badges_plugin.api import Outcome
from badges_plugin.models import BadgeAward, BadgeRequirement, BadgeTemplate, DataRule, Fulfillment
from badges_plugin.models.validity import digest
from tests.core.conftest import Heard
from tests.factories import (
    CCX_PASSING,
    at,
    make_template,
    make_user,
    metadata,
    passing_data,
    penalizes,
    penalizes_failing,
    requires,
    requires_course,
    send_passing,
    user_data,
)

pytestmark = pytest.mark.django_db
WRONG, RIGHT, OTHER = "course-v1:Demo+Wrong+1", "course-v1:Demo+Right+1", "course-v1:Demo+Other+1"


def correct(requirement: BadgeRequirement, course: str = RIGHT) -> None:
    """Change the course that a requirement asks for, as code would that knows nothing of the question."""
    rule = requirement.rules.get(key_path="course.course_key")
    rule.value = course
    rule.save()


def half_done() -> tuple[BadgeTemplate, BadgeRequirement, Any]:
    """Make a badge that asks for two courses, and a learner who passed the first of them."""
    template, user = make_template(), make_user()
    requirement = requires_course(template, WRONG)
    requires_course(template, OTHER)
    send_passing(user, WRONG, minute=1)
    return template, requirement, user


def test_e1_what_was_done_under_other_rules_does_not_count(heard: Heard) -> None:
    _template, requirement, user = half_done()
    correct(requirement)
    send_passing(user, OTHER, minute=2)
    assert heard.awarded == []
    send_passing(user, RIGHT, minute=3)
    (award,) = heard.awarded
    assert [event["time"] for event in award.events] == [at(2).isoformat(), at(3).isoformat()]


def add_rule(requirement: BadgeRequirement) -> None:
    DataRule.objects.create(requirement=requirement, key_path="course.display_name", operator="eq", value="Logic")


def delete_rule(requirement: BadgeRequirement) -> None:
    requirement.rules.get(key_path="is_passing").delete()


def change_event_type(requirement: BadgeRequirement) -> None:
    requirement.rules.get(key_path="course.course_key").delete()
    BadgeRequirement.objects.filter(pk=requirement.pk).update(event_type=CCX_PASSING)


def change_value_in_bulk(requirement: BadgeRequirement) -> None:
    requirement.rules.filter(key_path="course.course_key").update(value=RIGHT)


def replace_rules(requirement: BadgeRequirement) -> None:
    requirement.rules.all().delete()
    DataRule.objects.bulk_create(
        [DataRule(requirement=requirement, key_path="course.course_key", operator="eq", value=RIGHT)]
    )


def while_inactive(requirement: BadgeRequirement) -> None:
    api.deactivate_template(requirement.template)
    correct(requirement)
    api.activate_template(requirement.template)


@pytest.mark.parametrize(
    "change", [add_rule, delete_rule, change_event_type, change_value_in_bulk, replace_rules, while_inactive]
)
def test_e1_however_the_rules_were_changed(heard: Heard, change: Callable[[BadgeRequirement], None]) -> None:
    template, requirement, user = half_done()
    change(requirement)
    send_passing(user, OTHER, minute=2)
    assert heard.awarded == []
    assert api.undecided_fulfillments(template) == {requirement.pk: api.Earlier(1, 0)}


def reorder(requirement: BadgeRequirement) -> None:
    rules = list(requirement.rules.order_by("pk").values_list("key_path", "operator", "value"))
    requirement.rules.all().delete()
    for key_path, operator, value in reversed(rules):
        DataRule.objects.create(requirement=requirement, key_path=key_path, operator=operator, value=value)


def write_otherwise(requirement: BadgeRequirement) -> None:
    requirement.rules.filter(key_path="is_passing").update(value=" Yes")
    requirement.rules.filter(key_path="course.course_key").update(operator="in", value=f"\n{WRONG}\n\n{WRONG} ")


def say_twice(requirement: BadgeRequirement) -> None:
    DataRule.objects.create(requirement=requirement, key_path="is_passing", operator="eq", value="true")


def describe(requirement: BadgeRequirement) -> None:
    requirement.description = "Another description"
    requirement.save()


def correct_and_think_better(requirement: BadgeRequirement) -> None:
    correct(requirement)
    correct(requirement, WRONG)


def move_to_a_group(requirement: BadgeRequirement) -> None:
    requires_course(requirement.template, "course-v1:Demo+Either+1", group="new")
    requirement.group = requirement.template.groups.get()
    requirement.save()


@pytest.mark.parametrize(
    "change", [reorder, write_otherwise, say_twice, describe, correct_and_think_better, move_to_a_group]
)
def test_e1_what_leaves_the_meaning_as_it_is_changes_nothing(
    heard: Heard, change: Callable[[BadgeRequirement], None]
) -> None:
    template, requirement, user = half_done()
    change(requirement)
    assert api.undecided_fulfillments(template) == {}
    send_passing(user, OTHER, minute=2)
    assert len(heard.awarded) == 1


def test_e1_a_requirement_that_is_deleted_and_made_anew_starts_anew(heard: Heard) -> None:
    template, requirement, user = half_done()
    requirement.delete()
    requires_course(template, RIGHT)
    send_passing(user, OTHER, minute=2)
    assert heard.awarded == []


@pytest.mark.parametrize(("decide", "awards"), [(api.keep_fulfillments, 1), (api.forget_fulfillments, 0)])
def test_e1_staff_keep_or_forget_what_was_done(heard: Heard, decide: Callable[..., None], awards: int) -> None:
    template, requirement, user = half_done()
    correct(requirement)
    decide(requirement)
    assert api.undecided_fulfillments(template) == {}
    send_passing(user, OTHER, minute=2)
    assert len(heard.awarded) == awards
    send_passing(user, RIGHT, minute=3)
    assert len(heard.awarded) == 1


def test_e1_what_is_forgotten_stays_forgotten_when_the_old_rules_come_back(heard: Heard) -> None:
    template, requirement, user = half_done()
    correct(requirement)
    api.forget_fulfillments(requirement)
    correct(requirement, WRONG)
    send_passing(user, OTHER, minute=2)
    assert heard.awarded == []
    send_passing(user, WRONG, minute=3)
    assert len(heard.awarded) == 1
    assert api.undecided_fulfillments(template) == {}


def test_e1_what_is_kept_is_kept_for_these_rules_only(heard: Heard) -> None:
    template, requirement, user = half_done()
    correct(requirement)
    api.keep_fulfillments(requirement)
    correct(requirement, "course-v1:Demo+Third+1")
    assert api.undecided_fulfillments(template) == {requirement.pk: api.Earlier(1, 0)}
    send_passing(user, OTHER, minute=2)
    assert heard.awarded == []


@pytest.mark.parametrize("decide", [api.keep_fulfillments, api.forget_fulfillments, None])
def test_e1_who_has_the_badge_keeps_it_and_a_penalty_still_takes_it(
    heard: Heard, decide: Callable[..., None] | None
) -> None:
    template, user = make_template(), make_user()
    requirement = requires_course(template, WRONG)
    penalizes_failing(template, requirement, WRONG)
    send_passing(user, WRONG)
    correct(requirement)
    assert api.undecided_fulfillments(template) == {requirement.pk: api.Earlier(1, 1)}
    if decide is not None:
        decide(requirement)
    send_passing(user, OTHER, minute=1)
    assert heard.revoked == []
    send_passing(user, WRONG, is_passing=False, minute=2)
    assert len(heard.revoked) == 1


def test_e1_a_late_penalty_takes_nothing_that_was_done_after_it_and_awaits_a_decision(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requirement = requires_course(template)
    penalizes_failing(template, requirement)
    send_passing(user, minute=10)
    requirement.rules.get(key_path="is_passing").delete()
    send_passing(user, is_passing=False, minute=5)
    assert (len(heard.awarded), heard.revoked) == (1, [])
    api.keep_fulfillments(requirement)
    assert Fulfillment.objects.get().is_fulfilled
    send_passing(user, is_passing=False, minute=11)
    assert [award.revoked_at for award in heard.revoked] == [at(11)]


def test_e1_an_alternative_that_was_done_under_other_rules_still_protects_the_badge(heard: Heard) -> None:
    template, user = make_template(), make_user()
    changed = requires_course(template, WRONG, group="either")
    second = requires_course(template, OTHER, group="either")
    penalizes_failing(template, second, OTHER)
    send_passing(user, WRONG)
    send_passing(user, OTHER)
    correct(changed)
    send_passing(user, OTHER, is_passing=False, minute=1)
    assert heard.revoked == []


@pytest.mark.parametrize(("decide", "revoked"), [(api.forget_fulfillments, 1), (api.keep_fulfillments, 0), (None, 0)])
@pytest.mark.parametrize("is_award_made_with_it", [True, False])
def test_e1_an_alternative_that_was_forgotten_protects_no_badge(
    heard: Heard, decide: Callable[..., None] | None, revoked: int, is_award_made_with_it: bool
) -> None:
    template, user, last = make_template(), make_user(), "course-v1:Demo+Last+1"
    changed = requires_course(template, WRONG, group="either")
    second = requires_course(template, OTHER, group="either")
    requires_course(template, last)
    penalizes_failing(template, second, OTHER)
    send_passing(user, WRONG)
    if is_award_made_with_it:
        send_passing(user, last, minute=1)
    correct(changed)
    if decide is not None:
        decide(changed)
    send_passing(user, OTHER, minute=2)
    send_passing(user, last, minute=3)
    assert len(heard.awarded) == 1
    send_passing(user, OTHER, is_passing=False, minute=4)
    assert len(heard.revoked) == revoked


def test_e1_a_requirement_that_was_forgotten_and_done_anew_protects_the_badge(heard: Heard) -> None:
    template, user = make_template(), make_user()
    changed = requires_course(template, WRONG, group="either")
    second = requires_course(template, OTHER, group="either")
    penalizes_failing(template, second, OTHER)
    send_passing(user, WRONG)
    correct(changed)
    api.forget_fulfillments(changed)
    send_passing(user, RIGHT, minute=1)
    send_passing(user, OTHER, minute=2)
    send_passing(user, OTHER, is_passing=False, minute=3)
    assert heard.revoked == []


def test_e1_a_badge_revoked_by_hand_does_not_come_back_because_rules_were_changed(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requirement = requires_course(template, WRONG)
    send_passing(user, WRONG)
    api.revoke_award(BadgeAward.objects.get(), reason="Copied")
    requirement.rules.filter(key_path="course.course_key").update(operator="startswith", value="course-v1:Demo")
    send_passing(user, WRONG, minute=1)
    assert len(heard.awarded) == 1


@pytest.mark.parametrize(("course", "outcome"), [(RIGHT, Outcome.APPLIED), (OTHER, Outcome.UNMATCHED)])
def test_e1_the_same_event_counts_again_if_it_matches_the_new_rules(
    heard: Heard, course: str, outcome: Outcome
) -> None:
    template, user = make_template(), make_user()
    requirement = requires(template, ("course.course_key", "glob", "course-v1:Demo+*"), ("is_passing", "eq", "true"))
    requires_course(template, "course-v1:Demo+Never+1")
    options = {"event_id": metadata().id}
    send_passing(user, course, **options)
    requirement.rules.filter(key_path="course.course_key").update(operator="eq", value=RIGHT)
    api.forget_fulfillments(requirement)
    assert send_passing(user, course, **options) is outcome
    if outcome is Outcome.APPLIED:
        assert send_passing(user, course, **options) is Outcome.REPEATED
    row = Fulfillment.objects.get(requirement=requirement)
    assert requirement.validity().covers(row.made_under) is (outcome is Outcome.APPLIED)


def test_e1_a_replay_after_forgetting_finds_older_events(heard: Heard) -> None:
    """The event that fulfills the new rules was before the one that fulfilled the old ones."""
    _template, requirement, user = half_done()
    correct(requirement)
    api.forget_fulfillments(requirement)
    past = [(RIGHT, True, -3), (WRONG, True, 1), (OTHER, True, 2)]
    api.process_history(_event(user, *each) for each in past)
    assert len(heard.awarded) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_e1_a_replay_after_forgetting_heeds_penalties_in_any_order(heard: Heard, order: tuple[int, ...]) -> None:
    template, requirement, user = half_done()
    penalizes(template, [requirement], ("course.course_key", "eq", RIGHT), ("is_passing", "eq", "false"))
    correct(requirement)
    api.forget_fulfillments(requirement)
    past = [(RIGHT, True, -3), (RIGHT, False, -2), (OTHER, True, 2)]
    for number in order:
        api.process_event(_event(user, *past[number]))
    assert heard.awarded == []
    assert Fulfillment.objects.get(requirement=requirement).is_fulfilled is False


@pytest.mark.parametrize(("decide", "awards"), [(api.keep_fulfillments, 1), (api.forget_fulfillments, 0)])
def test_e1_an_event_that_was_on_its_way_under_the_old_rules_is_decided_like_the_others(
    heard: Heard, decide: Callable[..., None], awards: int
) -> None:
    template, user = make_template(), make_user()
    requirement = requires_course(template, WRONG)
    requires_course(template, OTHER)
    before = requirement.validity().current
    correct(requirement)
    decide(requirement, before=before)
    send_passing(user, OTHER, minute=2)
    # It had read the old rules, and is committed only now.
    Fulfillment.objects.create(
        progress=user.badge_progresses.get(),
        requirement=requirement,
        is_fulfilled=True,
        made_under=before,
        event_id=metadata().id,
        event_type="x",
        event_time=at(0),
    )
    assert api.undecided_fulfillments(template) == {}
    send_passing(user, OTHER, minute=3)
    assert len(heard.awarded) == awards


def test_e1_rules_that_cannot_be_compiled_give_nothing_away(heard: Heard) -> None:
    _template, requirement, user = half_done()
    requirement.rules.filter(key_path="is_passing").update(value="maybe")
    send_passing(user, OTHER, minute=2)
    assert heard.awarded == []
    requirement.rules.filter(key_path="is_passing").update(value="true")
    send_passing(user, OTHER, minute=3)
    assert len(heard.awarded) == 1


def test_e1_a_key_path_that_is_ignored_now_means_what_it_meant(settings: Any) -> None:
    requirement = requires_course(make_template())
    before = requirement.validity().current
    settings.BADGES_CONFIG = {"rules": {"ignored_keypaths": ["course.course_key"]}}
    assert requirement.validity().current == before


def test_e1_activation_and_doctor_say_how_many_wait_for_a_decision() -> None:
    template, requirement, _user = half_done()
    correct(requirement)
    (warning,) = [text for text in api.activation_warnings(template) if "earlier rules" in text]
    assert "1 learner" in warning
    api.keep_fulfillments(requirement)
    assert not [text for text in api.activation_warnings(template) if "earlier rules" in text]


def test_e1_a_fulfillment_costs_no_query_more() -> None:
    """What counts is known with the ruleset; see also test_queries."""
    _template, requirement, user = half_done()
    correct(requirement)
    asked: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        send_passing(user, RIGHT, minute=3)
        compiled, asked[:] = len(asked), []
        send_passing(user, RIGHT, minute=4)
    assert len(asked) < compiled
    assert not [sql for sql in asked if "badgerequirement" in sql.split(" WHERE ")[0].split(" FROM ")[-1]]


def _event(user: Any, course: str, is_passing: bool, minute: int) -> api.BadgingEvent:
    said = passing_data(user_data(user), course, is_passing=is_passing)
    stamp = metadata(time=at(minute))
    return api.read_event(stamp.event_type, stamp, {"course_passing_status": said})


def count_each(requirement: BadgeRequirement) -> None:
    requirement.count = 2
    requirement.save()


def count_by_name(requirement: BadgeRequirement) -> None:
    requirement.counted_by = "course.display_name"
    requirement.save()


def count_courses(requirement: BadgeRequirement) -> None:
    requirement.counted_by = "course.course_key"
    requirement.save()


def count_nothing(requirement: BadgeRequirement) -> None:
    requirement.count, requirement.counted_by = 1, ""
    requirement.save()


@pytest.mark.parametrize(
    ("asks", "change", "decide", "kept", "again"),
    [
        ({}, count_each, None, 0, 2),
        ({}, count_each, api.forget_fulfillments, 0, 2),
        ({}, count_each, api.keep_fulfillments, 1, 2),
        ({"count": 3}, count_nothing, api.keep_fulfillments, 1, 1),
        ({"count": 3, "counted_by": "course.course_key"}, count_nothing, api.keep_fulfillments, 1, 1),
        # Which values they had is not known: they would be counted twice.
        ({}, count_courses, api.keep_fulfillments, 0, 1),
        ({"count": 3}, count_courses, api.keep_fulfillments, 0, 1),
        # These events have no name there, so they are not counted.
        ({"count": 3, "counted_by": "course.course_key"}, count_by_name, api.keep_fulfillments, 0, 0),
    ],
)
def test_another_way_of_counting_is_another_meaning(
    asks: dict[str, Any],
    change: Callable[[BadgeRequirement], None],
    decide: Callable[..., None] | None,
    kept: int,
    again: int,
) -> None:
    template, user = make_template(), make_user()
    requirement = requires(template, ("is_passing", "eq", "true"), **asks)
    sent = {minute: metadata().id for minute in range(2)}
    for minute, event_id in sent.items():
        send_passing(user, event_id=event_id, minute=minute)
    change(requirement)
    assert api.undecided_fulfillments(template)[requirement.pk].learners == 1
    if decide is not None:
        decide(requirement)
        assert api.undecided_fulfillments(template) == {}
    assert tally(requirement) == kept
    # The same events again, under the new rules: never twice.
    for minute, event_id in sent.items():
        send_passing(user, event_id=event_id, minute=minute)
    assert tally(requirement) == again


def tally(requirement: BadgeRequirement) -> int:
    stored = BadgeRequirement.objects.get(pk=requirement.pk)
    return stored.criterion().tally(stored.fulfillments.all()).number


def test_how_many_are_asked_for_is_no_part_of_the_meaning() -> None:
    requirement = requires(make_template(), count=2)
    before = requirement.digest()
    requirement.count = 3
    assert requirement.digest() == before
    requirement.count, requirement.counted_by = 1, "course.course_key"
    by_course = requirement.digest()
    assert by_course != before
    requirement.count = 5
    assert requirement.digest() == by_course


def test_the_digest_of_what_counts_nothing_is_that_of_its_rules() -> None:
    requirement = requires_course(make_template())
    assert requirement.digest() == digest(requirement.event_type, requirement.rules.all())
