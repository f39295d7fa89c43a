"""What happened on the way to a badge, one thing after the other: a sentence for each, and whether it counts."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from badges_plugin.data import is_adopted
from badges_plugin.events import BADGE_AWARDED_TYPE
from badges_plugin.models import BadgeRequirement, Fulfillment
from badges_plugin.reading.asking import Said
from badges_plugin.reading.composing import Facts, courses_in, is_course_path
from badges_plugin.reading.event_words import badge_pattern, course_pattern
from badges_plugin.reading.progress import progress_rows
from badges_plugin.reading.standing import LearnerProgress, RequirementProgress
from badges_plugin.reading.words import event_label

MAX_HAPPENINGS = 50
"""Of one learner and badge, the newest ones."""

MAX_ROWS = 2000
"""Rows that are read at most, of all badges that are asked for together."""


class Mark(enum.StrEnum):
    """What a happening is to the badge."""

    COUNTS = "counts"
    LOST = "lost"
    """It took something away that was done."""
    VOID = "void"
    """It does not count now: it was made under earlier rules, or before an award that expired, or is not its turn."""


@dataclass(frozen=True)
class Happening:
    """An event that said something about a requirement, in words: "Passed Algebra"."""

    at: datetime
    mark: Mark
    text: str
    requirement: str
    """The sentence of the requirement."""
    grade: str
    event_id: UUID
    event_type: str


def happenings(progress: Mapping[int, LearnerProgress]) -> dict[int, tuple[Happening, ...]]:
    """Return what happened for stored progress, by its key, oldest first. At most four queries, for any number.

    ``progress`` is what ``progress_rows`` returns. Of what was heard of one thing several times, the last.
    """
    rows = Fulfillment.objects.filter(progress__in=progress).order_by("-event_time", "-pk")
    told: dict[int, list[Happening]] = defaultdict(list)
    for pk, happening in _told(list(rows[:MAX_ROWS]) if progress else [], progress):
        if len(told[pk]) < MAX_HAPPENINGS:
            told[pk].append(happening)
    return {pk: tuple(reversed(told[pk])) for pk in progress}


def newest_happenings(user_ids: Collection[int], *, limit: int) -> list[tuple[LearnerProgress, Happening]]:
    """Return what happened last to a learner, or the several users of one, newest first, with the badge it is about.

    At most twelve queries.
    """
    rows = list(Fulfillment.objects.filter(progress__user__in=user_ids).order_by("-event_time", "-pk")[:limit])
    progress = progress_rows({row.progress_id for row in rows}) if rows else {}
    return [(progress[pk], happening) for pk, happening in _told(rows, progress)]


def fulfilling_sentences(template_id: int) -> dict[str, str]:
    """Return what an event says that fulfills something of a badge, by its type. At most four queries.

    Only for types of which the badge has one requirement: of others it is not known which one an event fulfilled.
    """
    rows = BadgeRequirement.objects.filter(template=template_id).order_by("pk")
    requirements = list(rows.select_related("needs_badge").prefetch_related("rules"))
    said = Said(requirements)
    found: dict[str, list[str]] = defaultdict(list)
    for each in requirements:
        facts = said.facts(each)
        event_type = BADGE_AWARDED_TYPE if facts.needs_badge else each.event_type
        courses = [] if each.counted_by else [said.title(key) for key in courses_in(facts)]
        if facts.needs_badge:
            text = badge_pattern(event_type) % {"badge": facts.needs_badge}
        elif len(courses) == 1 and (pattern := course_pattern(event_type, is_good=True)):
            text = pattern % {"course": courses[0]}
        else:
            text = _("%(event)s: %(requirement)s") % {
                "event": event_label(event_type),
                "requirement": said.sentence(each),
            }
        found[event_type].append(text)
    return {event_type: texts[0] for event_type, texts in found.items() if len(texts) == 1}


def _told(rows: Sequence[Fulfillment], progress: Mapping[int, LearnerProgress]) -> Iterator[tuple[int, Happening]]:
    """Yield what rows say, in their order, with the key of their progress. Three queries."""
    requirements = BadgeRequirement.objects.filter(pk__in={row.requirement_id for row in rows})
    found = {each.pk: each for each in requirements.select_related("needs_badge").prefetch_related("rules")}
    said = Said(found.values(), {row.value for row in rows if row.value})
    for row in rows:
        if row.requirement_id in found:
            standing = progress[row.progress_id].requirement(row.requirement_id)
            yield row.progress_id, _happening(row, found[row.requirement_id], said, standing)


def _happening(
    row: Fulfillment, requirement: BadgeRequirement, said: Said, standing: RequirementProgress | None
) -> Happening:
    mark = Mark.LOST
    if row.is_fulfilled:
        counts = standing is not None and row.event_id in standing.events
        mark = Mark.COUNTS if counts else Mark.VOID
    return Happening(
        row.event_time,
        mark,
        _text(row, requirement, said),
        said.sentence(requirement),
        row.grade,
        row.event_id,
        row.event_type,
    )


def _text(row: Fulfillment, requirement: BadgeRequirement, said: Said) -> str:
    if is_adopted(row.event_id):
        return _("%(requirement)s: taken over from the service’s own badges app") % {
            "requirement": said.sentence(requirement)
        }
    facts = said.facts(requirement)
    if facts.needs_badge and (text := badge_pattern(row.event_type)):
        return text % {"badge": facts.needs_badge}
    course = _course(row, requirement, facts, said)
    if course and (text := course_pattern(row.event_type, is_good=row.is_fulfilled)):
        return text % {"course": course}
    return _("%(event)s: %(requirement)s") % {
        "event": event_label(row.event_type),
        "requirement": said.sentence(requirement),
    }


def _course(row: Fulfillment, requirement: BadgeRequirement, facts: Facts, said: Said) -> str:
    """Return the name of the course that an event was about; empty where that is not known."""
    if row.value:
        return said.title(row.value) if is_course_path(requirement.event_type, requirement.counted_by) else ""
    courses = courses_in(facts)
    return said.title(courses.pop()) if len(courses) == 1 else ""
