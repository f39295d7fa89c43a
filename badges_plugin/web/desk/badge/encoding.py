"""Turn lines in words into what the core stores: event types, rules, counts. Pure: knows no database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from badges_plugin.data import EVENT_TIME
from badges_plugin.events import BADGE_AWARDED_TYPE
from badges_plugin.reading.wordings import GRADE as GRADE_TYPE
from badges_plugin.reading.wordings import LEARNING
from badges_plugin.rules import Operator
from badges_plugin.web.desk.badge.setup import Kind, Line, Terms

PASSING_TYPE = f"{LEARNING}course.passing.status.updated.v1"
CCX_TYPE = f"{LEARNING}ccx.course.passing.status.updated.v1"
CERTIFICATE_REVOKED_TYPE = f"{LEARNING}certificate.revoked.v1"
PROGRAM_TYPE = f"{LEARNING}program.certificate.awarded.v1"
PROGRAM_REVOKED_TYPE = f"{LEARNING}program.certificate.revoked.v1"

COURSE_KEY, CCX_KEY, PASSING, PERCENT, PROGRAM = (
    "course.course_key",
    "course.ccx_course_key",
    "is_passing",
    "percent_grade",
    "program.uuid",
)


@dataclass(frozen=True)
class RuleText:
    """A rule as it is stored."""

    key_path: str
    operator: str
    value: str


@dataclass(frozen=True)
class Asked:
    """A requirement or penalty as it is stored: all but whose it is."""

    event_type: str
    rules: tuple[RuleText, ...] = ()
    count: int = 1
    counted_by: str = ""
    needs_badge_id: int | None = None


def is_ccx(key: str) -> bool:
    return key.startswith("ccx-v1:")


def requirement_of(line: Line, terms: Terms) -> Asked:
    """Return the requirement that a line stands for."""
    if line.kind is Kind.BADGE:
        return Asked(BADGE_AWARDED_TYPE, needs_badge_id=int(line.value))
    period = tuple(_period(terms))
    if line.kind is Kind.GRADE:
        least = RuleText(PERCENT, Operator.GREATER_OR_EQUAL.value, fraction(line.grade or 0))
        return Asked(GRADE_TYPE, (_which(line), least, *period))
    if line.kind is Kind.PROGRAM:
        return Asked(PROGRAM_TYPE, (_which(line), *period))
    rules = (_which(line), RuleText(PASSING, Operator.EQUAL.value, "true"), *period)
    if line.kind is Kind.COURSE:
        return Asked(_passing_type(line), rules)
    # Counted by course: who passed two runs and fails one of them has still passed the other.
    return Asked(PASSING_TYPE, rules, line.count, COURSE_KEY)


def penalties_of(line: Line, terms: Terms) -> tuple[Asked, ...]:
    """Return the penalties by which a line is lost. A badge that is needed is lost without one."""
    return tuple(_penalties(line, terms))


def can_fail(kind: Kind) -> bool:
    """Whether a line of this kind can be lost by failing."""
    return kind in {Kind.COURSE, Kind.ANY_RUN, Kind.ORG, Kind.GRADE}


def fraction(percent: float) -> str:
    """Return a grade as events have it: "0.8" for 80 percent."""
    return f"{round(percent / 100, 6):.6f}".rstrip("0").rstrip(".")


def _penalties(line: Line, terms: Terms) -> Iterator[Asked]:
    if line.kind is Kind.BADGE:
        return
    if terms.lost_by_failing and can_fail(line.kind):
        if line.kind is Kind.GRADE:
            below = RuleText(PERCENT, Operator.LESS.value, fraction(line.grade or 0))
            yield Asked(GRADE_TYPE, (_which(line), below))
        else:
            yield Asked(_passing_type(line), (_which(line), RuleText(PASSING, Operator.EQUAL.value, "false")))
    if terms.lost_with_certificate and not is_ccx(line.value):
        yield Asked(PROGRAM_REVOKED_TYPE if line.kind is Kind.PROGRAM else CERTIFICATE_REVOKED_TYPE, (_which(line),))


def _passing_type(line: Line) -> str:
    return CCX_TYPE if is_ccx(line.value) else PASSING_TYPE


def _which(line: Line) -> RuleText:
    """Return the rule that says which course or program is meant."""
    match line.kind:
        case Kind.PROGRAM:
            return RuleText(PROGRAM, Operator.EQUAL.value, line.value)
        case Kind.ANY_RUN | Kind.ORG:
            return RuleText(COURSE_KEY, Operator.STARTS_WITH.value, f"course-v1:{line.value}+")
        case _:
            path = CCX_KEY if is_ccx(line.value) and line.kind is Kind.COURSE else COURSE_KEY
            return RuleText(path, Operator.EQUAL.value, line.value)


def _period(terms: Terms) -> Iterator[RuleText]:
    """Whole days where the site is: a rule reads a date as the beginning of that day."""
    if terms.start is not None:
        yield RuleText(EVENT_TIME, Operator.GREATER_OR_EQUAL.value, terms.start.isoformat())
    if terms.last is not None:
        yield RuleText(EVENT_TIME, Operator.LESS.value, day_after(terms.last).isoformat())


def day_after(day: date) -> date:
    return day + timedelta(days=1)
