"""Who is nearly there: learners who lack one thing for a badge. Decided for many at once, without words."""

from __future__ import annotations

from collections.abc import Collection

from badges_plugin.criteria import GroupStanding
from badges_plugin.fulfillment_rows import of_progresses
from badges_plugin.models import BadgeProgress
from badges_plugin.reading.asking import with_requirements
from badges_plugin.ruleset import criteria_of


def nearly_there(progress_ids: Collection[int]) -> set[int]:
    """Return the keys of progress that lacks one step, and on which something is done already.

    A step is one event, or one of the different things that a requirement counts: who passed two of three courses lacks
    one. Whether the badge is held does not matter here. At most five queries, for any number of rows.
    """
    rows = list(BadgeProgress.objects.filter(pk__in=progress_ids).order_by("pk"))
    # Not as instances: a list decides about hundreds of learners, and they would take most of its time.
    registers = of_progresses([row.pk for row in rows])
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
