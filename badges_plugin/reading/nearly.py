"""Who is nearly there: learners who lack one thing for a badge. Decided for many at once, without words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from badges_plugin.criteria import GroupStanding, Register
from badges_plugin.models import BadgeProgress, Fulfillment
from badges_plugin.questions import Question
from badges_plugin.reading.asking import with_requirements
from badges_plugin.ruleset import criteria_of


class _Register(NamedTuple):
    """A fulfillment. A list decides about thousands of learners, and instances would take most of its time."""

    progress_id: int
    requirement_id: int
    value_key: str
    value: str
    is_fulfilled: bool
    event_id: UUID
    event_type: str
    event_time: datetime
    made_under: str
    reset_time: datetime | None
    reset_id: UUID | None
    since: datetime | None
    times: list[str]


_REGISTERS = Question(
    lambda ids: Fulfillment.objects.filter(progress__in=ids).order_by("pk").values_list(*_Register._fields)
)


def nearly_there(progress_ids: Collection[int]) -> set[int]:
    """Return the keys of progress that lacks one step, and on which something is done already.

    A step is one event, or one of the different things that a requirement counts: who passed two of three courses lacks
    one. Whether the badge is held does not matter here. At most five queries, for any number of rows.
    """
    rows = list(BadgeProgress.objects.filter(pk__in=progress_ids).order_by("pk"))
    registers: dict[int, list[Register]] = defaultdict(list)
    for register in map(_Register._make, _REGISTERS.ask([row.pk for row in rows])):
        registers[register.progress_id].append(register)
    templates = with_requirements({row.template_id for row in rows}).order_by("pk")
    criteria = {row.pk: criteria_of(row.requirements.all(), in_order=row.in_order) for row in templates}
    found = set()
    for row in rows:
        groups = criteria[row.template_id].standing(registers[row.pk], counts_from=row.counts_from).groups
        is_begun = any(tally.number for group in groups for tally in group.tallies)
        if is_begun and sum(map(_missing, groups)) == 1:
            found.add(row.pk)
    return found


def _missing(standing: GroupStanding) -> int:
    """Return how many steps a group lacks at least."""
    if standing.is_fulfilled:
        return 0
    lacking = sorted(tally.missing for tally in standing.tallies if not tally.is_fulfilled)
    return sum(lacking[: standing.group.needed - standing.number])
