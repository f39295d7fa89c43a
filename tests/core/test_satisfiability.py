"""Whether rules can ever apply together, one row per case."""

from __future__ import annotations

import pytest

from badges_plugin import events
from badges_plugin.domains import domains
from badges_plugin.patterns import ANYTHING, Pattern, containing, glob, literal, meet, starting_with
from badges_plugin.rules import Rule, compile_rule
from badges_plugin.satisfiability import can_apply, conflicts, implies
from tests.factories import CCX_PASSING, ENROLLMENT, PASSING

CERTIFICATE = "org.openedx.learning.certificate.created.v1"
PROGRAM = "org.openedx.learning.program.certificate.awarded.v1"
KEY, NAME, START = "course.course_key", "course.display_name", "course.start"
A, B = "course-v1:O+A+1", "course-v1:O+B+1"
CCX = "ccx-v1:O+A+1+ccx@7"


def compiled(event_type: str, *rules: tuple[str, str, str]) -> list[Rule]:
    kinds = events.key_paths(event_type)
    return [compile_rule(path, operator, value, kinds[path]) for path, operator, value in rules]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([], True),
        ([ANYTHING, ANYTHING], True),
        ([literal("ab"), literal("ab")], True),
        ([literal("ab"), literal("abc")], False),
        ([starting_with("ab"), starting_with("abc")], True),
        ([starting_with("ab"), starting_with("ac")], False),
        ([starting_with("ab"), glob("*ba")], True),
        ([glob("a*b"), glob("*c")], False),
        ([glob("a?c"), glob("ab?")], True),
        ([glob("a?"), glob("a")], False),
        ([glob("[ab]x"), glob("[bc]x")], True),
        ([glob("[ab]x"), glob("[cd]x")], False),
        ([glob("[a-c]"), glob("[!a-b]")], True),
        ([glob("[!a]"), literal("a")], False),
        ([glob("[]]"), literal("]")], True),
        ([glob("[x"), literal("[x")], True),
        ([glob("[!]x]"), literal("]")], False),
        ([containing("ab"), containing("ba"), glob("???")], True),
        ([containing("ab"), containing("cd"), glob("???")], False),
        ([glob("*a*b*c*d*e*"), glob("*e*d*c*b*a*"), containing("abc")], True),
    ],
)
def test_e3_patterns_have_a_text_in_common(patterns: list[Pattern], expected: bool) -> None:
    assert meet(patterns) is expected


@pytest.mark.parametrize(
    ("event_type", "rules", "expected"),
    [
        (PASSING, [], True),
        # values that exclude one another
        (PASSING, [(KEY, "eq", A), (KEY, "eq", B)], False),
        (PASSING, [(KEY, "eq", A), (KEY, "eq", f" {A} ")], True),
        (PASSING, [(KEY, "eq", A), (KEY, "ne", A)], False),
        (PASSING, [(KEY, "eq", A), (KEY, "ne", B)], True),
        (PASSING, [(KEY, "in", f"{A}, {B}"), (KEY, "eq", B)], True),
        (PASSING, [(KEY, "in", f"{A}, {B}"), (KEY, "ne", A), (KEY, "ne", B)], False),
        (PASSING, [(KEY, "in", A), (KEY, "in", B)], False),
        (PASSING, [(KEY, "eq", A), ("is_passing", "eq", "true")], True),
        # booleans: there are only two
        (PASSING, [("is_passing", "eq", "true"), ("is_passing", "eq", "no")], False),
        (PASSING, [("is_passing", "ne", "true"), ("is_passing", "ne", "false")], False),
        (PASSING, [("is_passing", "ne", "true"), ("is_passing", "eq", "0")], True),
        # patterns
        (PASSING, [(KEY, "startswith", "course-v1:P+"), (KEY, "eq", A)], False),
        (PASSING, [(KEY, "startswith", "course-v1:O+"), (KEY, "eq", A)], True),
        (PASSING, [(KEY, "glob", "course-v1:O+*"), (KEY, "glob", "course-v1:P+*")], False),
        (PASSING, [(KEY, "glob", "course-v1:O+*"), (KEY, "glob", "*+2026")], True),
        (PASSING, [(KEY, "glob", A), (KEY, "eq", B)], False),
        (PASSING, [(KEY, "contains", "Logic"), (KEY, "startswith", "course-v1:O+Math+")], True),
        (PASSING, [(KEY, "contains", "Logic"), (KEY, "in", f"{A}\n{B}")], False),
        (PASSING, [(NAME, "startswith", "Intro"), (NAME, "startswith", "Advanced")], False),
        (PASSING, [(NAME, "contains", "Intro"), (NAME, "contains", "Advanced")], True),
        # dates and numbers
        (PASSING, [(START, "gt", "2026-05-01"), (START, "lt", "2026-04-01")], False),
        (PASSING, [(START, "gte", "2026-05-01"), (START, "lte", "2026-05-01T02:00:00+02:00")], True),
        (PASSING, [(START, "gt", "2026-05-01"), (START, "lte", "2026-05-01")], False),
        (PASSING, [(START, "gte", "2026-05-01"), (START, "lte", "2026-05-01"), (START, "ne", "2026-05-01")], False),
        (PASSING, [(START, "eq", "2026-05-01"), (START, "lt", "2026-05-01")], False),
        (CERTIFICATE, [("grade", "gt", "5"), ("grade", "lt", "3")], False),
        (CERTIFICATE, [("grade", "gt", "0.5"), ("grade", "lt", "0.7")], True),
        (CERTIFICATE, [("grade", "eq", "0.9"), ("grade", "gt", "0.95")], False),
        (CERTIFICATE, [("grade", "eq", "Pass"), ("grade", "gt", "0.5")], False),
        (CCX_PASSING, [("course.max_students_allowed", "gt", "5"), ("course.max_students_allowed", "lt", "6")], False),
        (CCX_PASSING, [("course.max_students_allowed", "gte", "5"), ("course.max_students_allowed", "lt", "6")], True),
        (CCX_PASSING, [("course.max_students_allowed", "eq", "5.5")], False),
        # what no event has there
        (PASSING, [(KEY, "eq", "course-v1:demo+x")], False),
        (PASSING, [(KEY, "eq", "library-v1:O+Lib")], False),
        (PASSING, [(KEY, "eq", "block-v1:O+A+1+type@problem+block@x")], False),
        (PASSING, [(KEY, "eq", CCX)], False),
        (PASSING, [(KEY, "startswith", "ccx-v1:")], False),
        (PASSING, [(KEY, "glob", "library-v1:*")], False),
        (PASSING, [(KEY, "startswith", "https://lms.example/courses/")], False),
        (PASSING, [(KEY, "contains", "a b")], False),
        (PASSING, [(KEY, "gt", "5")], False),
        (PASSING, [(KEY, "eq", "course-v1:O+A+1+branch@draft")], False),
        (PASSING, [(KEY, "eq", "O/A/1")], True),
        (PASSING, [(KEY, "glob", "O/*")], True),
        (PASSING, [(KEY, "in", f"{A}\nPython")], True),
        (PASSING, [(KEY, "in", "Logic\nPython")], False),
        (CCX_PASSING, [("course.ccx_course_key", "eq", CCX)], True),
        (CCX_PASSING, [("course.ccx_course_key", "eq", A)], False),
        (CCX_PASSING, [("course.ccx_course_key", "startswith", "course-v1:")], False),
        (CCX_PASSING, [("course.master_course_key", "eq", A)], True),
        (CCX_PASSING, [("course.master_course_key", "eq", CCX)], False),
        # others have no event of their own for CCX
        (ENROLLMENT, [(KEY, "eq", CCX)], True),
        (PROGRAM, [("program.uuid", "eq", "00000000-0000-4000-8000-00000000000a")], True),
        (PROGRAM, [("program.uuid", "eq", "00000000-0000-4000-8000-00000000000A")], False),
        (PROGRAM, [("program.uuid", "eq", "MicroMasters")], False),
    ],
)
def test_e3_rules_are_judged_together(event_type: str, rules: list[tuple[str, str, str]], expected: bool) -> None:
    assert can_apply(compiled(event_type, *rules), domains(event_type)) is expected


def test_e3_a_value_that_no_event_has_is_named_alone() -> None:
    rules = compiled(PASSING, (KEY, "eq", A), (KEY, "startswith", "library-v1:"), (NAME, "eq", "x"), (NAME, "ne", "x"))
    assert conflicts(rules, domains(PASSING)) == [(rules[1],), (rules[2], rules[3])]


@pytest.mark.parametrize(
    ("rules", "other", "expected"),
    [
        ([(KEY, "eq", A)], (KEY, "startswith", "course-v1:O+"), True),
        ([(KEY, "eq", A)], (KEY, "eq", B), False),
        ([(KEY, "glob", "course-v1:O+*")], (KEY, "glob", "course-v1:O+*"), True),
        ([(KEY, "glob", "course-v1:O+*")], (KEY, "eq", A), False),
        ([(KEY, "in", f"{A},{B}"), (KEY, "ne", B)], (KEY, "eq", A), True),
        ([("is_passing", "ne", "false")], ("is_passing", "eq", "true"), True),
        ([], ("is_passing", "eq", "true"), False),
    ],
)
def test_e3_one_rule_follows_from_others(
    rules: list[tuple[str, str, str]], other: tuple[str, str, str], expected: bool
) -> None:
    (wanted,) = compiled(PASSING, other)
    assert implies(compiled(PASSING, *rules), wanted, domains(PASSING)) is expected
