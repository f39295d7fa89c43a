"""What badges ask for, in words: one row for each kind of sentence, in English and in another language."""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import trans_real

from badges_plugin.data import ValueKind
from badges_plugin.reading.composing import Facts, phrase, rule_key
from badges_plugin.reading.phrases import group_sentence
from badges_plugin.reading.words import join_and, rule_sentence
from badges_plugin.rules import compile_rule
from tests.factories import CCX_PASSING, ENROLLMENT, PASSING

LEARNING = "org.openedx.learning."
CERTIFICATE, GRADE = f"{LEARNING}certificate.created.v1", f"{LEARNING}course.persistent_grade_summary.changed.v1"
THREAD, COHORT = f"{LEARNING}forum.thread.created.v1", f"{LEARNING}cohort_membership.changed.v1"
PROGRAM, PROGRAM_AWARDED = "7d1c0e7c-5a3c-4d6e-8d47-2f6b6d0b7c11", f"{LEARNING}program.certificate.awarded.v1"
TITLES = {
    "course-v1:edX+A+1": "Algebra",
    "course-v1:edX+L+1": "Logic",
    "edX+A": "Algebra, whenever",
    PROGRAM: "Mathematics",
}
ALGEBRA, LOGIC, UNKNOWN = "course-v1:edX+A+1", "course-v1:edX+L+1", "course-v1:edX+X+1"
KINDS = {
    "is_passing": ValueKind.BOOLEAN,
    "event.time": ValueKind.DATETIME,
    "percent_grade": ValueKind.NUMBER,
}

PASSING_RULE = ("is_passing", "eq", "true")
FAILING_RULE = ("is_passing", "eq", "false")


class Written:
    """A rule as staff write it."""

    def __init__(self, key_path: str, operator: str, value: str) -> None:
        self.key_path, self.operator, self.value = key_path, operator, value


def facts(*rules: tuple[str, str, str], event_type: str = PASSING, **more: Any) -> Facts:
    rows = [Written(*rule) for rule in rules]
    compiled = [compile_rule(*rule, KINDS.get(rule[0], ValueKind.TEXT)) for rule in rules]
    said = {rule_key(rule): rule_sentence(row) for rule, row in zip(compiled, rows, strict=True)}
    return Facts(event_type, compiled, join_and(said.values()), said, **more)


def course(*keys: str) -> tuple[str, str, str]:
    return ("course.course_key", "in" if len(keys) > 1 else "eq", "\n".join(keys))


def starts_with(prefix: str) -> tuple[str, str, str]:
    return ("course.course_key", "startswith", prefix)


def period(operator: str, day: str) -> tuple[str, str, str]:
    return ("event.time", operator, day)


BY_COURSE = {"counted_by": "course.course_key"}

SENTENCES = [
    # passing courses
    (facts(PASSING_RULE, course(ALGEBRA)), "Pass Algebra"),
    (facts(("is_passing", "ne", "no"), course(ALGEBRA)), "Pass Algebra"),
    (facts(PASSING_RULE, course(UNKNOWN)), f"Pass {UNKNOWN}"),
    (facts(PASSING_RULE, course(ALGEBRA, LOGIC)), "Pass one of: Algebra, Logic"),
    (facts(PASSING_RULE), "Pass any course"),
    (facts(PASSING_RULE, starts_with("course-v1:edX+")), "Pass any course of edX"),
    (facts(PASSING_RULE, ("course.course_key", "glob", "course-v1:edX+*")), "Pass any course of edX"),
    (
        facts(PASSING_RULE, ("course.course_key", "glob", "*+A+*")),
        "Pass any course whose key matches *+A+*",
    ),
    (
        facts(PASSING_RULE, ("course.course_key", "ne", ALGEBRA)),
        f"Pass any course (course.course_key is not {ALGEBRA})",
    ),
    (facts(PASSING_RULE, ("course.ccx_course_key", "eq", UNKNOWN), event_type=CCX_PASSING), f"Pass {UNKNOWN}"),
    # counting
    (facts(PASSING_RULE, course(ALGEBRA, LOGIC), count=2, **BY_COURSE), "Pass at least 2 of: Algebra, Logic"),
    (facts(PASSING_RULE, starts_with("course-v1:edX+"), count=5, **BY_COURSE), "Pass 5 different courses of edX"),
    (facts(PASSING_RULE, count=5, **BY_COURSE), "Pass 5 different courses"),
    (facts(PASSING_RULE, course(ALGEBRA), count=2), "Pass Algebra, 2 times"),
    (
        facts(("mode", "eq", "honor"), event_type=ENROLLMENT, count=3, counted_by="mode"),
        "Course enrollment created: mode is honor, for 3 different values of mode",
    ),
    (facts(event_type=THREAD), "Write a forum post"),
    (facts(event_type=THREAD, count=10), "Write 10 forum posts"),
    # periods: whole days as days, and the last day, not the one after it
    (
        facts(PASSING_RULE, course(ALGEBRA, LOGIC), period("lt", "2027-06-01"), count=2, **BY_COURSE),
        "Pass at least 2 of: Algebra, Logic, before June 1, 2027",
    ),
    (
        facts(PASSING_RULE, period("gte", "2027-01-01"), period("lt", "2027-07-01")),
        "Pass any course, between Jan. 1, 2027 and June 30, 2027",
    ),
    (facts(PASSING_RULE, period("gte", "2027-01-01")), "Pass any course, not before Jan. 1, 2027"),
    (
        facts(PASSING_RULE, period("lte", "2027-06-01T12:30Z")),
        "Pass any course, before June 1, 2027, 12:30 p.m.",
    ),
    # any run of one course, counted by course so that failing one run does not take another away
    (facts(PASSING_RULE, starts_with("course-v1:edX+A+")), "Pass any run of Algebra, whenever"),
    (facts(PASSING_RULE, starts_with("course-v1:edX+B+"), **BY_COURSE), "Pass any run of edX+B"),
    (
        facts(PASSING_RULE, starts_with("course-v1:edX+A+"), count=2, **BY_COURSE),
        "Pass 2 different courses whose keys match course-v1:edX+A+*",
    ),
    # programs
    (facts(("program.uuid", "eq", PROGRAM), event_type=PROGRAM_AWARDED), "Complete the program Mathematics"),
    (
        facts(("program.uuid", "eq", PROGRAM), period("gte", "2027-01-01"), event_type=PROGRAM_AWARDED),
        "Complete the program Mathematics, not before Jan. 1, 2027",
    ),
    (
        facts(("program.uuid", "eq", PROGRAM), ("status", "eq", "x"), event_type=PROGRAM_AWARDED),
        f"Program certificate awarded: program.uuid is {PROGRAM} and status is x",
    ),
    # other events
    (facts(course(ALGEBRA), event_type=CERTIFICATE), "Earn the certificate of Algebra"),
    (
        facts(course(ALGEBRA), ("mode", "eq", "verified"), event_type=CERTIFICATE),
        "Earn the certificate of Algebra (mode is verified)",
    ),
    (facts(event_type=ENROLLMENT, count=3, **BY_COURSE), "Enroll in 3 different courses"),
    (
        facts(("percent_grade", "gte", "0.8"), course(ALGEBRA), event_type=GRADE),
        "Reach a grade of at least 80% in Algebra",
    ),
    (facts(("percent_grade", "gte", "0.725"), event_type=GRADE), "Reach a grade of at least 72.5% in any course"),
    (facts(("name", "eq", "A"), event_type=COHORT), "Cohort membership changed: name is A"),
    (facts(event_type="com.example.done.v1"), "com.example.done.v1"),
    # what no sentence says is told by its rules, the unusable ones as well
    (facts(FAILING_RULE), "Course passing status updated: is_passing is false"),
    (Facts(PASSING, None, "is_passing is maybe"), "Course passing status updated: is_passing is maybe"),
    # staff's own words win; a badge by its name
    (facts(PASSING_RULE, description="Show up", count=3), "Show up"),
    (facts(needs_badge="Logician"), "Earn the badge “Logician”"),
    # penalties
    (facts(FAILING_RULE, course(ALGEBRA), is_penalty=True), "Lost when the grade in Algebra drops below passing"),
    (facts(FAILING_RULE, is_penalty=True), "Lost when the grade in any course drops below passing"),
    (
        facts(("percent_grade", "lt", "0.8"), course(ALGEBRA), event_type=GRADE, is_penalty=True),
        "Lost when the grade in Algebra drops below 80%",
    ),
    (
        facts(FAILING_RULE, starts_with("course-v1:edX+A+"), is_penalty=True),
        "Lost when the grade in a run of Algebra, whenever drops below passing",
    ),
    (
        facts(PASSING_RULE, is_penalty=True),
        "Lost on this event: Course passing status updated: is_passing is true",
    ),
    (
        facts(course(ALGEBRA), event_type=f"{LEARNING}certificate.revoked.v1", is_penalty=True),
        "Lost when the certificate of Algebra is revoked",
    ),
]


@pytest.mark.parametrize(("given", "sentence"), SENTENCES, ids=[sentence for _, sentence in SENTENCES])
def test_a_requirement_or_penalty_is_one_sentence(given: Facts, sentence: str) -> None:
    assert str(phrase(given, TITLES)) == sentence


GROUPS: list[tuple[list[Facts], int, str]] = [
    ([facts(PASSING_RULE, course(ALGEBRA))], 1, "Pass Algebra"),
    ([facts(PASSING_RULE, course(key)) for key in (ALGEBRA, LOGIC)], 1, "Pass one of: Algebra, Logic"),
    (
        [facts(PASSING_RULE, course(key)) for key in (ALGEBRA, LOGIC, UNKNOWN)],
        2,
        f"Pass at least 2 of: Algebra, Logic, {UNKNOWN}",
    ),
    (
        [facts(PASSING_RULE, course(key), period("lt", "2027-06-01")) for key in (ALGEBRA, LOGIC)],
        2,
        "Pass at least 2 of: Algebra, Logic, before June 1, 2027",
    ),
    # different periods, or staff's own words: not the same but for the course
    (
        [facts(PASSING_RULE, course(ALGEBRA)), facts(PASSING_RULE, course(LOGIC), period("lt", "2027-06-01"))],
        1,
        "One of these: Pass Algebra; Pass Logic, before June 1, 2027",
    ),
    (
        [facts(PASSING_RULE, course(ALGEBRA)), facts(description="Write"), facts(description="Read")],
        2,
        "At least 2 of these: Pass Algebra; Write; Read",
    ),
    ([facts(description="Write"), facts(description="Read")], 2, "All of these: Write; Read"),
    ([facts(event_type=THREAD, count=3), facts(description="Read")], 1, "One of these: Write 3 forum posts; Read"),
]


@pytest.mark.parametrize(("given", "needed", "sentence"), GROUPS, ids=[row[2] for row in GROUPS])
def test_a_group_is_one_sentence(given: list[Facts], needed: int, sentence: str) -> None:
    assert group_sentence([phrase(each, TITLES) for each in given], needed) == sentence


@pytest.mark.parametrize(
    ("zone", "sentence"),
    [
        ("UTC", "Pass any course, before June 1, 2027, 10 p.m."),
        # 22:00 UTC is midnight there: a day begins
        ("Europe/Berlin", "Pass any course, before June 2, 2027"),
    ],
)
def test_days_are_those_of_the_site(settings: Any, zone: str, sentence: str) -> None:
    settings.TIME_ZONE = zone
    assert str(phrase(facts(PASSING_RULE, period("lt", "2027-06-01T22:00Z")), TITLES)) == sentence


class _French(gettext.GNUTranslations):
    """A catalog in memory: other plural forms, another order of words."""

    def __init__(self) -> None:
        super().__init__()
        self._catalog = {
            "June": "juin",
            ("Pass %(count)d course of %(org)s", 0): "Réussir %(count)d cours de %(org)s",
            ("Pass %(count)d course of %(org)s", 1): "Réussir %(count)d cours différents de %(org)s",
            "%(what)s, before %(end)s": "Avant le %(end)s : %(what)s",
            "Pass %(course)s": "Réussir %(course)s",
        }

    @staticmethod
    def plural(number: int) -> int:
        return int(number > 1)


@pytest.fixture
def french(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    catalog = trans_real.translation("fr")
    monkeypatch.setattr(catalog, "_catalog", trans_real.TranslationCatalog(_French()))
    with translation.override("fr"):
        yield


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (facts(PASSING_RULE, course(ALGEBRA), period("lt", "2027-06-01")), "Avant le 1 juin 2027 : Réussir Algebra"),
        (facts(PASSING_RULE, starts_with("course-v1:edX+"), count=5, **BY_COURSE), "Réussir 5 cours différents de edX"),
    ],
)
def test_the_reader_chooses_the_language(french: None, given: Facts, sentence: str) -> None:
    assert str(phrase(given, TITLES)) == sentence
