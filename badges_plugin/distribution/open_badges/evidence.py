"""The evidence of awards: which events made them, and when, in words; and the grade that one of them told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin import reading, reasons
from badges_plugin.distribution.api import BadgeAward
from badges_plugin.distribution.open_badges.data import Evidence, GradeResult
from badges_plugin.distribution.open_badges.earning import Achievement, plain
from badges_plugin.host import course_titles
from badges_plugin.models import Fulfillment
from badges_plugin.times import read_instant

_MOST_EVENTS = 20
"""Events that are told of one requirement. A requirement may count hundreds."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The evidence of one award."""

    evidence: tuple[Evidence, ...]
    grade: GradeResult | None


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is still known of an event: the requirement that it fulfilled and the value that it counted."""

    requirement_id: int
    value: str


def proofs_of(awards: Sequence[BadgeAward], achievements: Mapping[int, Achievement]) -> dict[int, Proof]:
    """Return the evidence of awards by their keys, in the language of the site. At most two queries."""
    heard: dict[int, dict[str, _Heard]] = defaultdict(dict)
    rows = Fulfillment.objects.filter(progress__in={award.progress_id for award in awards})
    for progress_id, event_id, requirement_id, value in rows.order_by("pk").values_list(
        "progress", "event_id", "requirement", "value"
    ):
        heard[progress_id][str(event_id)] = _Heard(requirement_id, value)
    values = {each.value for events in heard.values() for each in events.values() if ":" in each.value}
    titles = course_titles(values)
    with reasons.in_site_language():
        return {
            award.pk: _proof(award.events, heard[award.progress_id], achievements[award.progress.template_id], titles)
            for award in awards
            if award.progress.template_id in achievements
        }


def _proof(
    events: Iterable[Mapping[str, str]],
    heard: Mapping[str, _Heard],
    achievement: Achievement,
    titles: Mapping[str, str],
) -> Proof:
    by_step: dict[str, list[str]] = defaultdict(list)
    grades: list[GradeResult] = []
    for event in events:
        known = heard.get(event["id"])
        step = achievement.sentences.get(known.requirement_id, "") if known else ""
        step = step or reading.event_label(event["type"])
        by_step[step].append(_told(event, titles.get(known.value, known.value) if known else ""))
        if event.get("grade"):
            grades.append(GradeResult(value=event["grade"], name=step))
    evidence = tuple(Evidence(id="", name=step, narrative=_listed(told)) for step, told in by_step.items())
    # Of several, nobody could say which is the grade of the badge; each is told with its event.
    return Proof(evidence, grades[0] if len(grades) == 1 else None)


def _told(event: Mapping[str, str], value: str) -> str:
    happened = reading.LastEvent(
        id=UUID(event["id"]), type=event["type"], time=read_instant(event["time"]), value=value, is_fulfilled=True
    )
    if not event.get("grade"):
        return happened.text
    return _("%(event)s, grade %(grade)s") % {"event": happened.text, "grade": event["grade"]}


def _listed(told: Sequence[str]) -> str:
    lines = [f"- {plain(each)}" for each in told[:_MOST_EVENTS]]
    if more := len(told) - len(lines):
        lines.append("- " + ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more})
    return "\n".join(lines)
