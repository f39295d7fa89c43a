"""Awards and badges page by page, however many there are. Nothing is counted, and no page reads a whole table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from badges_plugin import retirement
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate
from badges_plugin.reading.awards import AwardState, Holder, award_of, in_state
from badges_plugin.reading.awards import rows as award_rows

MAX_LIST = 1000
"""The longest page."""

SPAN = 10_000
"""Awards that one page looks through at most for those in a state: no index serves both that and the order."""

LEARNERS = 2000
"""Learners of a badge whose awards one page looks through at most."""

MAX_LEARNERS = 100
"""Learners who share an e-mail address; the newest ones are found."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Position = tuple[int, int]
"""Where a page ends: two whole numbers, whose meaning belongs to the list."""


@dataclass(frozen=True)
class AwardFilter:
    """Which awards are wanted; what is None does not matter. Times are those of the award: from, and before."""

    template_id: int | None = None
    user_ids: Collection[int] | None = None
    award_ids: Collection[int] | None = None
    state: AwardState | None = None
    awarded_from: datetime | None = None
    awarded_before: datetime | None = None


@dataclass(frozen=True)
class AwardList:
    """Some awards with their learners. ``next``: where the following page begins; None on the last one.

    A page may be shorter than asked for, even empty, and not be the last.
    """

    holders: tuple[Holder, ...]
    next: Position | None


@dataclass(frozen=True)
class KeyList:
    """Keys of some rows. ``next``: where the following page begins; None on the last one."""

    keys: tuple[int, ...]
    next: Position | None


def list_awards(wanted: AwardFilter, *, after: Position | None = None, limit: int = 100) -> AwardList:
    """Return awards, newest first. At most four queries: keys are read first, so that no server sorts joined rows.

    Of one badge, and of no learner in particular, those who began it last come first. Retired learners have no name.
    Raises ValueError for a limit below 1 or above ``MAX_LIST``.
    """
    _check(limit)
    if wanted.template_id is not None and wanted.user_ids is None and wanted.award_ids is None:
        return _awards_of_badge(wanted, wanted.template_id, after, limit)
    rows = _matching(wanted).order_by("-awarded_at", "-pk")
    rest: Position | None = None
    if wanted.state is not None and wanted.user_ids is None and wanted.award_ids is None:
        span = _after_time(_in_period(wanted), after).order_by("-awarded_at", "-pk")
        ends = list(span.values_list("awarded_at", "pk")[SPAN - 1 : SPAN + 1])
        if len(ends) > 1:
            rest = _position(*ends[0])
            rows = rows.filter(awarded_at__gte=ends[0][0]).exclude(awarded_at=ends[0][0], pk__lt=ends[0][1])
    found = list(_after_time(rows, after).values_list("awarded_at", "pk")[: limit + 1])
    page = found[:limit]
    if len(found) > limit:
        rest = _position(*page[-1])
    return AwardList(_holders([pk for _moment, pk in page]), rest)


def _awards_of_badge(wanted: AwardFilter, template_id: int, after: Position | None, limit: int) -> AwardList:
    """Go through the learners of a badge: the index of their progress gives them in order, their awards it does not."""
    learners = BadgeProgress.objects.filter(template=template_id).order_by("-pk")
    if after is not None:
        learners = learners.filter(pk__lte=after[0] if after[1] else after[0] - 1)
    keys = list(learners.values_list("pk", flat=True)[: LEARNERS + 1])
    rows = _matching(replace(wanted, template_id=None)).filter(progress__in=keys[:LEARNERS])
    if after is not None:
        rows = rows.exclude(progress=after[0], number__gte=after[1])
    found = list(rows.order_by("-progress", "-number").values_list("progress", "number", "pk")[: limit + 1])
    page = found[:limit]
    rest = None
    if len(found) > limit:
        rest = page[-1][:2]
    elif len(keys) > LEARNERS:
        rest = (keys[LEARNERS - 1], 0)
    return AwardList(_holders([pk for _progress, _number, pk in page]), rest)


def on_the_way(user_ids: Collection[int], *, after: Position | None = None, limit: int = 100) -> KeyList:
    """Return the keys of the progress on active badges that a learner can earn and does not hold. One query.

    Newest first. ``progress_rows`` tells how far it is. Raises ValueError as ``list_awards`` does.
    """
    _check(limit)
    earlier = BadgeAward.objects.filter(progress=OuterRef("pk"))
    held = earlier.filter(in_state(AwardState.HELD))
    ended_for_good = earlier.filter(in_state(AwardState.REVOKED), progress__template__can_be_reawarded=False)
    rows = BadgeProgress.objects.filter(
        ~Exists(held), ~Exists(ended_for_good), user__in=user_ids, template__is_active=True
    )
    if after is not None:
        rows = rows.filter(pk__lt=after[0])
    return _keys(rows.order_by("-pk"), limit)


def active_badges(*, except_sites: Collection[int] = (), after: Position | None = None, limit: int = 100) -> KeyList:
    """Return the keys of the badge templates that can be earned, oldest first. One query.

    ``except_sites`` are the keys of sites whose badges are left out.

    Raises ValueError as ``list_awards`` does.
    """
    _check(limit)
    rows = BadgeTemplate.objects.filter(is_active=True).exclude(site__in=except_sites)
    if after is not None:
        rows = rows.filter(pk__gt=after[0])
    return _keys(rows.order_by("pk"), limit)


def learners_called(name: str) -> tuple[int, ...]:
    """Return the keys of the users who have this user name or, if nobody does, this e-mail address, in any case.

    Two or three queries. Of a retired learner only the user name is known. The host has no index for e-mail addresses.
    """
    if "\0" in name:  # PostgreSQL has no such text
        return ()
    if found := tuple(User.objects.filter(username=name).order_by("pk").values_list("pk", flat=True)):
        return found
    if "@" not in name:
        return ()
    users = list(User.objects.filter(email__iexact=name).order_by("-pk")[:MAX_LEARNERS])
    gone = retirement.retired_among(users)
    return tuple(user.pk for user in users if user.pk not in gone)


def _check(limit: int) -> None:
    if not 1 <= limit <= MAX_LIST:
        raise ValueError(f"limit must be between 1 and {MAX_LIST}")


def _keys(rows: QuerySet[Any], limit: int) -> KeyList:
    found = list(rows.values_list("pk", flat=True)[: limit + 1])
    return KeyList(tuple(found[:limit]), (found[limit - 1], 0) if len(found) > limit else None)


def _in_period(wanted: AwardFilter) -> QuerySet[BadgeAward]:
    rows = BadgeAward.objects.all()
    if wanted.awarded_from is not None:
        rows = rows.filter(awarded_at__gte=wanted.awarded_from)
    if wanted.awarded_before is not None:
        rows = rows.filter(awarded_at__lt=wanted.awarded_before)
    return rows


def _matching(wanted: AwardFilter) -> QuerySet[BadgeAward]:
    rows = _in_period(wanted)
    if wanted.template_id is not None:
        rows = rows.filter(progress__template=wanted.template_id)
    if wanted.user_ids is not None:
        rows = rows.filter(progress__user__in=wanted.user_ids)
    if wanted.award_ids is not None:
        rows = rows.filter(pk__in=wanted.award_ids)
    return rows.filter(in_state(wanted.state)) if wanted.state is not None else rows


def _after_time(rows: QuerySet[BadgeAward], after: Position | None) -> QuerySet[BadgeAward]:
    """Keep the awards that come after a position, newest first. A range of the index, and then a condition."""
    if after is None:
        return rows
    moment = _EPOCH + after[0] * _MICROSECOND
    return rows.filter(awarded_at__lte=moment).exclude(awarded_at=moment, pk__gte=after[1])


def _position(moment: datetime, pk: int) -> Position:
    return (moment - _EPOCH) // _MICROSECOND, pk


def _holders(keys: Sequence[int]) -> tuple[Holder, ...]:
    """Return awards with their learners, in this order. Two queries."""
    rows = award_rows().select_related("progress__user").in_bulk(keys)
    gone = retirement.retired_among(row.user for row in rows.values())
    return tuple(_holder(rows[key], is_gone=rows[key].user.pk in gone) for key in keys if key in rows)


def _holder(row: BadgeAward, *, is_gone: bool) -> Holder:
    return Holder(award_of(row), row.user.get_username(), "" if is_gone else row.user.full_name or "")
