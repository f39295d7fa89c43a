"""Who changed what a badge asks for, in words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from badges_plugin import reading
from badges_plugin.models import BadgeRequirement, BadgeTemplate, DataRule, RequirementGroup
from badges_plugin.models.records import BEGAN
from badges_plugin.reading import differences
from tests.core.admin_pages import staff, text, url
from tests.factories import (
    make_template,
    make_user,
    needs_badge,
    penalizes_failing,
    requires,
    requires_course,
)
from tests.limits import Lower

pytestmark = pytest.mark.django_db
ALGEBRA, LOGIC = "course-v1:NU+ALG+1", "course-v1:NU+LOG+1"
PASS_ALGEBRA = f"Pass {ALGEBRA}"
FAIL_ALGEBRA = f"Lost when the grade in {ALGEBRA} drops below passing"
NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)


class Desk:
    """Staff at work: each ``turn`` is a change of its own, minutes after the one before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOON
        self.person: Any = None
        monkeypatch.setattr("badges_plugin.models.records.timezone.now", lambda: self.now)
        monkeypatch.setattr("badges_plugin.models.records.current_user", lambda: self.person)

    def turn(self, person: Any = None) -> None:
        self.now += timedelta(minutes=10)
        self.person = person


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def told(template: BadgeTemplate | int) -> list[list[str]]:
    """Return the sentences of each change, the newest first."""
    key = template if isinstance(template, int) else template.pk
    return [[edit.sentence for edit in change.edits] for change in reading.history_of(key).changes]


def ask_for_logic(requirement: BadgeRequirement) -> None:
    rule = requirement.rules.get(key_path="course.course_key")
    rule.value = LOGIC
    rule.save()


def put(**values: Any) -> Callable[[BadgeRequirement], None]:
    def change(requirement: BadgeRequirement) -> None:
        BadgeTemplate.objects.filter(pk=requirement.template_id).update(**values)

    return change


def put_in_a_block(requirement: BadgeRequirement) -> None:
    requirement.group = RequirementGroup.named(requirement.template, "Math")
    requirement.save()


def describe(requirement: BadgeRequirement) -> None:
    requirement.description = "Know algebra"
    requirement.save()


def decide(column: str) -> Callable[[BadgeRequirement], None]:
    def change(requirement: BadgeRequirement) -> None:
        setattr(requirement, column, {"new": ["old"]})
        requirement.save()

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (ask_for_logic, [f"Changed “{PASS_ALGEBRA}” to “Pass {LOGIC}”."]),
        (lambda row: row.rules.all().delete(), [f"Changed “{PASS_ALGEBRA}” to “Course passing status updated”."]),
        (lambda row: requires_course(row.template, LOGIC), [f"Added “Pass {LOGIC}”."]),
        (
            lambda row: penalizes_failing(row.template, row, ALGEBRA),
            [f"Added what takes the badge away: “{FAIL_ALGEBRA}”."],
        ),
        (
            put_in_a_block,
            ["Added the block “Math”: 1 of its lines is enough.", f"Moved “{PASS_ALGEBRA}” into the block “Math”."],
        ),
        (describe, [f"Changed “{PASS_ALGEBRA}” to “Know algebra”."]),
        (decide("kept_rules"), [f"What learners had done for it still counts: “{PASS_ALGEBRA}”."]),
        (decide("forgotten_rules"), [f"What learners had done for it was forgotten: “{PASS_ALGEBRA}”."]),
        (put(name="Reason"), ["Renamed from “Logic” to “Reason”."]),
        (put(is_active=False), ["Deactivated."]),
        (put(valid_days=30), ["Valid: 30 days. Before: without end."]),
        (
            put(valid_days=30, renewal_days=1),
            [
                "Valid: 30 days. Before: without end.",
                "Can be renewed from 1 day before its end. Before: after its end.",
            ],
        ),
        (put(in_order=True), ["What learners must do is asked for in order."]),
        (put(can_be_reawarded=False), ["Cannot be earned again after it was revoked."]),
        (put(is_signed_here=True), ["Is also signed by this site."]),
        (put(is_given_by_staff=True), ["Is also given by staff, and need not ask for anything."]),
        (put(description="New", icon=""), ["Changed the description.", "Changed the address of the image."]),
    ],
)
def test_a_change_is_told_in_words(
    desk: Desk, change: Callable[[BadgeRequirement], object], expected: list[str]
) -> None:
    requirement = requires_course(make_template(name="Logic"), ALGEBRA)
    desk.turn()
    change(BadgeRequirement.objects.get(pk=requirement.pk))
    newest, first = told(requirement.template)
    assert newest == expected
    assert first == ["Created the badge “Logic”.", "Activated.", f"Added “{PASS_ALGEBRA}”."]


def test_what_was_deleted_is_told_with_the_rules_that_it_had(desk: Desk) -> None:
    requirement = requires_course(make_template(name="Logic", is_active=False), ALGEBRA)
    penalizes_failing(requirement.template, requirement, ALGEBRA)
    desk.turn()
    requirement.delete()
    history = reading.history_of(requirement.template.pk)
    (edit,) = history.changes[0].edits
    assert edit.sentence == f"Removed “{PASS_ALGEBRA}”."
    assert edit.details == (
        f"Before: Course passing status updated: course.course_key is {ALGEBRA} and is_passing is true",
    )
    desk.turn()
    key = requirement.template.pk
    requirement.template.delete()
    history = reading.history_of(key)
    assert (history.name, history.exists, history.is_complete) == ("Logic", False, True)
    assert [edit.sentence for edit in history.changes[0].edits] == [
        "Deleted the badge “Logic”.",
        f"Removed what takes the badge away: “{FAIL_ALGEBRA}”.",
    ]
    assert told(key + 1) == []


def test_rules_that_a_description_hides_are_told_in_the_details(desk: Desk) -> None:
    requirement = requires_course(make_template(), ALGEBRA, description="Know algebra")
    desk.turn()
    ask_for_logic(requirement)
    (edit,) = reading.history_of(requirement.template_id).changes[0].edits
    assert edit.sentence == "Changed the rules of “Know algebra”."
    assert edit.details == (
        f"Before: Course passing status updated: course.course_key is {ALGEBRA} and is_passing is true",
        f"Afterwards: Course passing status updated: course.course_key is {LOGIC} and is_passing is true",
    )


def test_blocks_and_what_a_penalty_takes_away(desk: Desk) -> None:
    template = make_template(name="Logic")
    first, second = requires_course(template, ALGEBRA, group="Math"), requires_course(template, LOGIC, group="Math")
    penalty = penalizes_failing(template, first, ALGEBRA)
    desk.turn()
    penalty.requirements.set([second])
    desk.turn()
    penalty.requirements.clear()
    desk.turn()
    group = RequirementGroup.objects.get()
    group.name, group.needed, group.position = "Sums", 2, 3
    group.save()
    desk.turn()
    BadgeRequirement.objects.update(group=None)
    group.delete()
    assert told(template)[:4] == [
        [
            "Removed the block “Sums”.",
            f"Took “{PASS_ALGEBRA}” out of its block.",
            f"Took “Pass {LOGIC}” out of its block.",
        ],
        [
            "Renamed the block “Math” to “Sums”.",
            "2 lines of the block “Sums” are enough. Before: 1.",
            "Moved the block “Sums” to another place.",
        ],
        [f"“{FAIL_ALGEBRA}” takes nothing away any more."],
        [f"“{FAIL_ALGEBRA}” takes this away: Pass {LOGIC}."],
    ]


def test_a_needed_badge_is_named_even_when_it_is_gone(desk: Desk) -> None:
    template, needed = make_template(name="Logic"), make_template(name="First Steps", is_active=False)
    requirement = needs_badge(template, needed)
    requirement.delete()
    desk.turn()
    needed.delete()
    requires_course(template, ALGEBRA)
    desk.turn()
    needs = needs_badge(template, other := make_template(name="Third"))
    desk.turn()
    needs.delete()
    other.delete()
    assert told(template)[:2] == [["Removed “Earn the badge “Third””."], ["Added “Earn the badge “Third””."]]


def test_who_it_was(desk: Desk) -> None:
    template = make_template(name="Logic")
    ortiz, okafor = make_user(full_name="M. Ortiz"), make_user(full_name="", username="okafor")
    erased, gone = make_user(), make_user(username="retired__user_abcdef0123")
    for person in (ortiz, okafor, erased, gone):
        desk.turn(person)
        BadgeTemplate.objects.filter(pk=template.pk).update(name=f"Logic {person.pk}")
    key = erased.pk
    erased.delete()
    changes = reading.history_of(template.pk).changes
    nobody = "Somebody whose account is gone"
    assert [(change.by, change.user_id) for change in changes] == [
        (nobody, None),
        (nobody, None),
        ("okafor", okafor.pk),
        ("M. Ortiz", ortiz.pk),
        ("A command or a synchronization", None),
    ]
    assert changes[-1].at == NOON
    assert key not in {change.user_id for change in changes}


def test_what_one_person_saves_at_once_is_one_change(desk: Desk) -> None:
    template, person = make_template(name="Logic"), make_user()
    desk.turn(person)
    requires_course(template, ALGEBRA)
    desk.now += timedelta(seconds=4)
    requires_course(template, LOGIC)
    desk.now += timedelta(seconds=1)
    desk.person = make_user()
    BadgeTemplate.objects.filter(pk=template.pk).update(name="Proof")
    assert told(template)[:2] == [
        ["Renamed from “Logic” to “Proof”."],
        [f"Added “{PASS_ALGEBRA}”.", f"Added “Pass {LOGIC}”."],
    ]


def test_what_was_there_before_the_history_is_no_change_and_can_be_compared_with(desk: Desk) -> None:
    requirement = requires_course(make_template(name="Logic"), ALGEBRA)
    template = requirement.template
    for model in (BadgeTemplate, BadgeRequirement, DataRule):
        model.history.update(history_change_reason=BEGAN)
    assert reading.history_of(template.pk).changes == ()
    desk.turn()
    ask_for_logic(requirement)
    history = reading.history_of(template.pk)
    assert told(template) == [[f"Changed “{PASS_ALGEBRA}” to “Pass {LOGIC}”."]]
    assert not history.is_complete


def test_only_the_newest_of_very_many_changes_are_told_and_told_rightly(desk: Desk, lower: Lower) -> None:
    requirement = requires_course(make_template(name="Logic"), ALGEBRA)
    for number in range(5):
        desk.turn()
        BadgeTemplate.objects.filter(pk=requirement.template_id).update(name=f"Logic {number}")
    desk.turn()
    requires_course(requirement.template, LOGIC)
    lower("badges_plugin.reading.recorded", MOST=3)
    history = reading.history_of(requirement.template_id)
    assert told(requirement.template_id) == [
        [f"Added “Pass {LOGIC}”."],
        ["Renamed from “Logic 3” to “Logic 4”."],
        ["Renamed from “Logic 2” to “Logic 3”."],
    ]
    assert not history.is_complete


def test_queries_are_bounded(desk: Desk, django_assert_max_num_queries: Any) -> None:
    template = make_template()
    needed = [make_template() for _ in range(3)]
    for badge in needed:
        desk.turn(make_user())
        requirement = requires_course(template, f"course-v1:NU+{badge.pk}+1", group="Any")
        penalizes_failing(template, requirement)
        needed_badge = needs_badge(template, badge)
        desk.turn()
        needed_badge.delete()
    with django_assert_max_num_queries(10):
        assert len(reading.history_of(template.pk).changes) == 7


def test_a_rule_that_cannot_be_used_any_more_is_told_as_it_was_written(desk: Desk) -> None:
    requirement = requires(make_template(is_active=False), ("is_passing", "eq", "true"))
    desk.turn()
    row = requirement.rules.get()
    type(row).history.update(key_path="nowhere", operator="odd", value="x")
    requirement.delete()
    (edit,) = reading.history_of(requirement.template_id).changes[0].edits
    assert edit.sentence == "Removed “Course passing status updated: nowhere odd x”."


def test_the_admins_own_page_of_the_history_tells_of_the_rules(desk: Desk, lower: Lower) -> None:
    requirement = requires_course(make_template(name="Logic"), ALGEBRA)
    address = url("badgetemplate", "history", requirement.template_id)
    assert staff("change_badgerequirement").get(address).status_code == 403
    assert f"Added “{PASS_ALGEBRA}”." in text(staff("view_badgetemplate").get(address))
    desk.turn()
    ask_for_logic(requirement)
    lower("badges_plugin.admin.overview", SHOWN=1)
    page = text(staff("view_badgetemplate").get(address))
    assert f"Changed “{PASS_ALGEBRA}” to “Pass {LOGIC}”." in page
    assert "Only the last changes are shown." in page
    assert "Added “" not in page
    assert staff("view_badgetemplate").get(url("badgetemplate", "history", 4711)).status_code == 302


def test_each_fact_of_a_badge_has_words_of_its_own_and_a_new_one_is_named(db: None) -> None:
    make_template()
    state = BadgeTemplate.history.values().get()
    kept = {name for name in state if not name.startswith("history_")}
    assert kept - differences.WORDS.keys() == {"id"}
    assert list(differences.template_edits({**state, "origin": "a"}, {**state, "origin": "b"})) == ["Changed: origin."]
