"""The decisions of data rules, one row per case."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from opaque_keys.edx.keys import CourseKey

from badges_plugin.data import ValueKind
from badges_plugin.exceptions import InvalidRule
from badges_plugin.rules import OPERATORS, Operator, compile_rule

COURSE = CourseKey.from_string("course-v1:MITx+6.00+2026")
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
BOOLEAN, NUMBER, DATETIME, TEXT, LIST = ValueKind


@pytest.mark.parametrize(
    ("kind", "found", "operator", "value", "expected"),
    [
        (BOOLEAN, True, "eq", "true", True),
        (BOOLEAN, True, "eq", " True ", True),
        (BOOLEAN, False, "eq", "true", False),
        (BOOLEAN, False, "ne", "true", True),
        # A string that says "true" is not a boolean: the event broke its promise.
        (BOOLEAN, "true", "eq", "true", False),
        (BOOLEAN, 1, "eq", "true", False),
        (NUMBER, 3, "eq", "3", True),
        (NUMBER, 3, "eq", "3.0", True),
        (NUMBER, 0.7, "gt", "0.65", True),
        (NUMBER, 10, "gt", "9", True),
        (NUMBER, 10, "gte", "10", True),
        (NUMBER, 10, "lt", "10", False),
        (NUMBER, 10, "lte", "10", True),
        (NUMBER, 10, "ne", "9", True),
        (NUMBER, 10, "in", "9, 10", True),
        (NUMBER, True, "eq", "1", False),
        (NUMBER, float("nan"), "ne", "1", False),
        (DATETIME, NOON, "gt", "2026-05-01", True),
        (DATETIME, NOON, "lt", "2026-05-01T14:00:00+02:00", False),
        (DATETIME, NOON, "lte", "2026-05-01T14:00:00+02:00", True),
        (DATETIME, NOON, "eq", "2026-05-01T12:00:00Z", True),
        (DATETIME, NOON.replace(tzinfo=None), "eq", "2026-05-01T12:00:00Z", True),
        (DATETIME, "2026-05-01", "eq", "2026-05-01", False),
        (TEXT, "verified", "eq", "verified", True),
        (TEXT, "verified", "eq", "Verified", False),
        (TEXT, "verified", "ne", "audit", True),
        (TEXT, "verified", "in", "audit, verified", True),
        (TEXT, "Doe, Jo", "in", "Doe, Jo\nRoe, Al", True),
        (TEXT, "verified", "in", "audit,honor", False),
        (TEXT, "verified", "contains", "rif", True),
        (TEXT, "verified", "startswith", "ver", True),
        (TEXT, "verified", "startswith", "fied", False),
        # "Yes" is text like any other.
        (TEXT, "Yes", "eq", "Yes", True),
        (TEXT, "None", "eq", "None", True),
        # Grades travel as text and are ordered as numbers.
        (TEXT, "0.9", "gte", "0.85", True),
        (TEXT, "10", "gt", "9", True),
        (TEXT, "Pass", "gt", "9", False),
        (TEXT, COURSE, "eq", "course-v1:MITx+6.00+2026", True),
        (TEXT, COURSE, "eq", "course-v1:MITx+6.00+2026 ", True),
        (TEXT, COURSE, "ne", "course-v1:MITx+6.00+2025", True),
        (TEXT, COURSE, "in", "course-v1:A+B+C\ncourse-v1:MITx+6.00+2026", True),
        (TEXT, COURSE, "glob", "course-v1:MITx+*", True),
        (TEXT, COURSE, "glob", "course-v1:MITx+6.?0+*", True),
        (TEXT, COURSE, "glob", "MITx*", False),
        (TEXT, COURSE, "glob", "course-v1:mitx+*", False),
        (TEXT, COURSE, "startswith", "course-v1:MITx", True),
        # Characters that are special elsewhere mean themselves.
        (TEXT, "a.c", "glob", "a.c", True),
        (TEXT, "abc", "glob", "a.c", False),
        (TEXT, 5, "eq", "5", False),
        (LIST, ["Moderator", "Student"], "contains", "Student", True),
        (LIST, ["Moderator"], "contains", "Mod", False),
        (LIST, [1, 2], "contains", "2", True),
        (LIST, "Student", "contains", "Student", False),
        (LIST, [], "contains", "Student", False),
    ],
)
def test_rule_on_a_value(kind: ValueKind, found: object, operator: str, value: str, expected: bool) -> None:
    rule = compile_rule("course.key", operator, value, kind)
    assert rule.matches({"course": {"key": found}}) is expected


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *((text, True) for text in ("true", "yes", "1", "on", " YES ", "True\n")),
        *((text, False) for text in ("false", "no", "0", "off", "\tOff", "FALSE")),
    ],
)
def test_e5_booleans_are_written_as_everywhere_else(written: str, meant: bool) -> None:
    assert compile_rule("value", "eq", written, BOOLEAN).matches({"value": meant}) is True
    assert compile_rule("value", "ne", written, BOOLEAN).matches({"value": meant}) is False


@pytest.mark.parametrize(
    "payload", [{}, {"course": None}, {"course": {}}, {"course": {"key": None}}, {"course": "x"}, None]
)
@pytest.mark.parametrize("operator", ["eq", "ne", "in", "glob", "contains", "startswith", "gt"])
def test_absent_or_null_makes_every_rule_false(payload: object, operator: str) -> None:
    assert compile_rule("course.key", operator, "1", TEXT).matches(payload) is False


@pytest.mark.parametrize(
    ("kind", "operator", "value", "reason"),
    [
        (TEXT, "regex", "x", "no operator “regex”"),
        (TEXT, "", "x", "no operator"),
        (BOOLEAN, "gt", "true", "cannot compare a boolean"),
        (BOOLEAN, "in", "true", "cannot compare a boolean"),
        (NUMBER, "contains", "1", "cannot compare a number"),
        (DATETIME, "glob", "2026*", "cannot compare a date and time"),
        (LIST, "eq", "x", "cannot compare a list"),
        (BOOLEAN, "eq", "maybe", "not a boolean"),
        (BOOLEAN, "eq", "2", "not a boolean"),
        (BOOLEAN, "eq", "", "not a boolean"),
        (NUMBER, "eq", "one", "not a number"),
        (NUMBER, "eq", "nan", "not a number"),
        (NUMBER, "gt", "inf", "not a number"),
        (NUMBER, "in", "1, x", "not a number"),
        (DATETIME, "gt", "yesterday", "not a date"),
        (DATETIME, "gt", "2026-05-01T12:00:00", "no time zone"),
        (TEXT, "gt", "Pass", "not a number"),
        (TEXT, "eq", "   ", "value is empty"),
        (TEXT, "glob", "", "value is empty"),
        (TEXT, "in", " , ,", "list of values is empty"),
        (LIST, "contains", "", "value is empty"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(kind: ValueKind, operator: str, value: str, reason: str) -> None:
    with pytest.raises(InvalidRule, match=reason):
        compile_rule("path", operator, value, kind)


@pytest.mark.parametrize(
    ("kind", "operator"), [(kind, op) for kind, operators in OPERATORS.items() for op in operators]
)
def test_every_offered_operator_compiles_and_survives_any_payload(kind: ValueKind, operator: Operator) -> None:
    value = {BOOLEAN: "true", NUMBER: "1", DATETIME: "2026-01-01", TEXT: "1", LIST: "1"}[kind]
    rule = compile_rule("value", operator, value, kind)
    for found in (True, 1, 1.5, "text", NOON, COURSE, [], {}, object()):
        assert rule.matches({"value": found}) in (True, False)
