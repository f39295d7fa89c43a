"""Read what is stored of a badge back into the words that staff choose, where they can say all of it.

Nothing is guessed: a requirement is told as a line only if the line would store the very same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import product

from badges_plugin.data import EVENT_TIME
from badges_plugin.models import BadgePenalty, BadgeRequirement, BadgeTemplate
from badges_plugin.models.conditions import AbstractDataRule
from badges_plugin.models.validity import digest
from badges_plugin.reading.wordings import GRADE as GRADE_TYPE
from badges_plugin.rules import Operator
from badges_plugin.web.desk.badge.encoding import (
    CCX_KEY,
    COURSE_KEY,
    PERCENT,
    PROGRAM,
    Asked,
    can_fail,
    penalties_of,
    requirement_of,
)
from badges_plugin.web.desk.badge.setup import Block, Kind, Line, Setup, Stored, Terms

_PREFIX = "course-v1:"


def setup_of(template: BadgeTemplate) -> Setup | None:
    """Return what a template asks for as lines; None where lines cannot say all of it.

    No query where its requirements with their rules and groups, and its penalties with their rules and requirements,
    are prefetched.
    """
    requirements = list(template.requirements.all())
    lines = {each.pk: _line(each) for each in requirements}
    found = {pk: line for pk, line in lines.items() if line is not None}
    if template.in_order or len(found) < len(requirements):
        return None
    terms = _terms(requirements, list(template.penalties.all()), found)
    if terms is None:
        return None
    return Setup(tuple(_blocks(requirements, found)), terms)


def _blocks(requirements: Sequence[BadgeRequirement], lines: dict[int, Line]) -> Iterable[Block]:
    """All that stands alone is one block, wherever it stands: every block is needed."""
    members: dict[int | None, list[BadgeRequirement]] = {}
    for each in requirements:
        members.setdefault(each.group_id, []).append(each)
    for rows in members.values():
        stored = tuple(Stored(lines[each.pk], each.pk) for each in rows)
        group = rows[0].group
        yield Block(stored) if group is None else Block(stored, group.needed, group.pk)


def _line(requirement: BadgeRequirement) -> Line | None:
    """Return the line that a requirement may be, by its rules but for the period."""
    if requirement.needs_badge_id is not None:
        return Line(Kind.BADGE, str(requirement.needs_badge_id))
    rules = {(rule.key_path, rule.operator): rule.value.strip() for rule in requirement.existing_rules()}
    exact = rules.get((COURSE_KEY, Operator.EQUAL)) or rules.get((CCX_KEY, Operator.EQUAL))
    prefix = rules.get((COURSE_KEY, Operator.STARTS_WITH), "")
    if requirement.event_type == GRADE_TYPE and exact:
        percent = _percent(rules.get((PERCENT, Operator.GREATER_OR_EQUAL), ""))
        return Line(Kind.GRADE, exact, percent) if percent is not None else None
    if program := rules.get((PROGRAM, Operator.EQUAL)):
        return Line(Kind.PROGRAM, program)
    if exact:
        return Line(Kind.COURSE, exact)
    named = prefix.removeprefix(_PREFIX).removesuffix("+")
    if prefix != f"{_PREFIX}{named}+" or not named:
        return None
    return Line(Kind.ANY_RUN if "+" in named else Kind.ORG, named, count=requirement.count)


def _percent(value: str) -> float | None:
    try:
        return round(float(value) * 100, 4)
    except ValueError:
        return None


def _terms(
    requirements: Sequence[BadgeRequirement], penalties: Sequence[BadgePenalty], lines: dict[int, Line]
) -> Terms | None:
    """Return the terms under which the lines store just these requirements and penalties, or None."""
    with_rules = [each for each in requirements if each.needs_badge_id is None]
    start, last = _days(with_rules[0].existing_rules()) if with_rules else (None, None)
    stored = sorted(_stored_penalty(each) for each in penalties)
    for fails, certificate in product((True, False), (False, True)):
        terms = Terms(start, last, fails, certificate)
        if not all(_is_same(each, requirement_of(lines[each.pk], terms)) for each in requirements):
            continue
        if stored == sorted(_expected_penalties(lines, terms)):
            return _plain(terms, lines.values())
    return None


def _plain(terms: Terms, lines: Iterable[Line]) -> Terms:
    """Leave a choice as it is for a new badge where no line says anything about it."""
    if any(can_fail(line.kind) for line in lines):
        return terms
    return Terms(terms.start, terms.last, lost_with_certificate=terms.lost_with_certificate)


def _is_same(requirement: BadgeRequirement, asked: Asked) -> bool:
    if (requirement.count, requirement.counted_by) != (asked.count, asked.counted_by):
        return False
    if asked.needs_badge_id is not None:
        return requirement.needs_badge_id == asked.needs_badge_id
    return digest(requirement.event_type, requirement.existing_rules()) == digest(asked.event_type, asked.rules)


def _stored_penalty(penalty: BadgePenalty) -> tuple[list[int], str]:
    linked = sorted(requirement.pk for requirement in penalty.requirements.all())
    return linked, digest(penalty.event_type, penalty.existing_rules())


def _expected_penalties(lines: dict[int, Line], terms: Terms) -> Iterable[tuple[list[int], str]]:
    for pk, line in lines.items():
        for asked in penalties_of(line, terms):
            yield [pk], digest(asked.event_type, asked.rules)


def _days(rules: Iterable[AbstractDataRule]) -> tuple[date | None, date | None]:
    """Return the first and the last day that rules on the time of an event mean, where they are whole days."""
    start = last = None
    for rule in rules:
        if rule.key_path != EVENT_TIME:
            continue
        try:
            day = date.fromisoformat(rule.value.strip())
        except ValueError:
            continue  # a time of day: the comparison with what would be stored finds the difference
        if rule.operator == Operator.GREATER_OR_EQUAL:
            start = day
        elif rule.operator == Operator.LESS:
            last = day - timedelta(days=1)
    return start, last
