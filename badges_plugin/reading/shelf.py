"""A learner's badges at a glance: which are held, which ended, and which are on the way, before any is read whole."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.utils import timezone

from badges_plugin.models import BadgeAward, BadgeProgress
from badges_plugin.reading.awards import Award, AwardState, award_of, rows


@dataclass(frozen=True)
class Shelf:
    """The latest award of each badge, and badges that were never earned. Everything newest first.

    ``held`` and ``ended`` are keys of awards, ``on_the_way`` of progress rows.
    """

    held: tuple[int, ...]
    ended: tuple[int, ...]
    on_the_way: tuple[int, ...]


def shelf(user_ids: Collection[int], *, with_inactive: bool = False) -> Shelf:
    """Return what learners, or the several users of one, hold, held, and are on the way to. Two queries.

    ``with_inactive``: also badges that they began and nobody can earn now, after those that they can. Reads a few
    columns only, so that a page can show the first of many.
    """
    now = timezone.now()
    seen: set[int] = set()
    held: list[int] = []
    ended: list[int] = []
    # The awards of one progress have numbers and times that only grow: the first that comes is the latest.
    found = BadgeAward.objects.filter(progress__user__in=user_ids).order_by("-awarded_at", "-number", "-pk")
    for pk, progress, revoked_at, expires_at in found.values_list("pk", "progress", "revoked_at", "expires_at"):
        if progress in seen:
            continue
        seen.add(progress)
        is_held = revoked_at is None and (expires_at is None or expires_at > now)
        (held if is_held else ended).append(pk)
    progresses = BadgeProgress.objects.filter(user__in=user_ids).order_by("-template__is_active", "-pk")
    if not with_inactive:
        progresses = progresses.filter(template__is_active=True)
    way = [pk for pk in progresses.values_list("pk", flat=True) if pk not in seen]
    return Shelf(tuple(held), tuple(ended), tuple(way))


def awards(award_ids: Collection[int]) -> dict[int, Award]:
    """Return awards by their keys. One query."""
    return {row.pk: award_of(row) for row in rows().filter(pk__in=award_ids)}


def standings(user_ids: Collection[int], template_ids: Collection[int]) -> dict[int, AwardState | None]:
    """Return how badges stand with a learner, by template id: the state of the latest award, None while on the way.

    Badges with which nothing happened are left out. Of several users of a learner, the one who holds it counts. Two
    queries.
    """
    found: dict[int, AwardState | None] = dict.fromkeys(
        BadgeProgress.objects.filter(user__in=user_ids, template__in=template_ids)
        .order_by("pk")
        .values_list("template", flat=True)
    )
    own = rows().filter(progress__user__in=user_ids, progress__template__in=template_ids)
    latest = {row.progress_id: award_of(row) for row in own.order_by("progress", "number")}
    # A held one last: it wins over what is over.
    for award in sorted(latest.values(), key=lambda each: each.state is AwardState.HELD):
        found[award.template_id] = award.state
    return found
