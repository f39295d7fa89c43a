"""Looking conditions up by event finds what applies, and compiling survives what cannot be compiled."""

from __future__ import annotations

import logging

import pytest

from badges_plugin.data import ValueKind
from badges_plugin.events import read_event
from badges_plugin.matching import Comparables, CompiledCondition, ConditionIndex
from badges_plugin.models import BadgeRequirement, DataRule
from badges_plugin.rules import compile_rule
from badges_plugin.ruleset import CompiledTemplate, compile_ruleset
from tests.factories import (
    PASSING,
    at,
    make_template,
    metadata,
    passing_data,
    penalizes,
    requires,
    requires_course,
    user_data,
)


def group_ids(template: CompiledTemplate) -> list[set[int]]:
    return [{criterion.id for criterion in group.criteria} for group in template.criteria.groups]


def condition(number: int, *rules: tuple[str, str, str]) -> CompiledCondition:
    kinds = {"course": ValueKind.TEXT, "is_passing": ValueKind.BOOLEAN, "grade": ValueKind.NUMBER}
    return CompiledCondition(number, (number,), tuple(compile_rule(*rule, kinds[rule[0]]) for rule in rules))


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"course": "A", "is_passing": True, "grade": 1}, {1, 2, 3, 4, 5, 6}),
        ({"course": "A", "is_passing": False, "grade": 1}, {1, 4, 5}),
        ({"course": "B", "is_passing": True, "grade": 2}, {3, 4, 5}),
        ({"course": "C", "is_passing": True, "grade": 2}, {3, 5}),
        ({"course": None, "is_passing": True}, {3, 5}),
        ({}, {5}),
    ],
)
def test_the_index_finds_exactly_what_applies(payload: dict[str, object], expected: set[int]) -> None:
    index = ConditionIndex()
    for item in [
        condition(1, ("course", "eq", "A")),
        condition(2, ("is_passing", "eq", "true"), ("course", "eq", "A")),
        condition(3, ("is_passing", "eq", "true")),
        condition(4, ("course", "in", "A, B")),
        condition(5),
        condition(6, ("grade", "lt", "2"), ("is_passing", "eq", "true")),
    ]:
        index.add(item)
    found = index.find(payload)
    assert set(found) == expected
    assert all(found[number] == {number} for number in found)


def test_a_value_is_read_once_for_each_kind() -> None:
    class Payload:
        def __init__(self) -> None:
            self.read = 0

        @property
        def grade(self) -> str:
            self.read += 1
            return "7"

    payload = Payload()
    comparables = Comparables(payload)
    kinds = (ValueKind.TEXT, ValueKind.TEXT, ValueKind.NUMBER, ValueKind.BOOLEAN)
    assert [comparables.at("grade", kind) for kind in kinds] == ["7", "7", 7, None]
    assert comparables.at("grade.letter", ValueKind.TEXT) is None
    assert payload.read == 4


def test_many_courses_cost_no_evaluation() -> None:
    index = ConditionIndex()
    for number in range(1000):
        index.add(condition(number, ("is_passing", "eq", "true"), ("course", "eq", f"course {number}")))
    assert index.others == []
    assert set(index.find({"course": "course 7", "is_passing": True})) == {7}
    assert [len(by_value) for by_value in index.exact.values()] == [1000]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rules", "courses"),
    [
        ([("course.course_key", "eq", "course-v1:A+B+C")], {"A"}),
        ([("course.course_key", "eq", " course-v1:A+B+C ")] * 2, {"A"}),
        ([("course.course_key", "eq", "course-v1:A+B+C"), ("course.course_key", "eq", "course-v1:D+B+C")], set()),
        ([("course.course_key", "in", "course-v1:A+B+C, course-v1:D+B+C")], {"A", "D"}),
        (
            [
                ("course.course_key", "in", "course-v1:A+B+C, course-v1:D+B+C"),
                ("is_passing", "eq", "yes"),
                ("course.course_key", "eq", "course-v1:D+B+C"),
            ],
            {"D"},
        ),
        ([("course.course_key", "startswith", "course-v1:A"), ("event.time", "eq", "2026-01-01T00:00Z")], {"A"}),
        ([("course.course_key", "startswith", "course-v1:A"), ("event.time", "eq", "2026-01-01T00:01Z")], set()),
        ([("is_passing", "eq", "false")], set()),
        ([], {"A", "D"}),
    ],
)
def test_what_is_found_by_a_value_is_what_the_rules_say(rules: list[tuple[str, str, str]], courses: set[str]) -> None:
    template = make_template()
    requires(template, *rules)
    ruleset = compile_ruleset()
    learner = user_data()
    for org in ("A", "D"):
        data = passing_data(learner, f"course-v1:{org}+B+C")
        event = read_event(PASSING, metadata(time=at(0)), {"course_passing_status": data})
        assert bool(ruleset.match(event)) is (org in courses)


@pytest.mark.django_db
def test_what_cannot_be_compiled_never_applies_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    template = make_template()
    good, bad, gone = requires_course(template), requires_course(template), requires(template)
    DataRule.objects.filter(requirement=bad, key_path="is_passing").update(value="maybe")
    BadgeRequirement.objects.filter(pk=gone.pk).update(event_type="org.openedx.learning.gone.v1")
    DataRule.objects.bulk_create([DataRule(requirement=gone, key_path="a", operator="eq", value="b")])
    penalizes(template, [good])
    with caplog.at_level(logging.ERROR):
        ruleset = compile_ruleset()
    messages = [record.getMessage() for record in caplog.records if record.name == "badges_plugin.compiling"]
    assert len(messages) == 3
    assert any(f"BadgeRequirement {bad.pk}" in message and "not a boolean" in message for message in messages)
    assert any(f"BadgeRequirement {gone.pk}" in message and "no public event type" in message for message in messages)
    assert any("has no rules" in message for message in messages)
    # The template still asks for all three: what is broken does not make a badge easier.
    assert group_ids(ruleset.templates[template.pk]) == [{good.pk}, {bad.pk}, {gone.pk}]


@pytest.mark.django_db
def test_a_penalty_reaches_only_requirements_of_its_own_template() -> None:
    template, other = make_template(), make_template()
    own, foreign = requires_course(template), requires_course(other)
    penalty = penalizes(template, [own, foreign], ("is_passing", "eq", "false"))
    (index,) = compile_ruleset().penalties.values()
    (found,) = [item for by_value in index.exact.values() for items in by_value.values() for item in items]
    assert (found.template_id, found.requirement_ids) == (penalty.template_id, (own.pk,))
