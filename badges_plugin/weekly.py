"""Count what became of badges, week by week. A week begins on a Monday where the site is.

Where a week begins is decided here and not by the database: MySQL knows no time zones unless somebody has loaded them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Case, Count, IntegerField, Q, QuerySet, Sum, Value, When

from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, BadgeTotal, BadgeWeek, Ending
from badges_plugin.times import site_day, site_midnight

WEEK = timedelta(days=7)
MOST_WEEKS = 50
"""Weeks that one statement tells apart."""


@dataclass(frozen=True)
class Figures:
    """What became of badges in a time. ``accepted`` are those awarded in this time that learners have accepted by now.

    What ended in this time may have been awarded earlier.
    """

    awarded: int = 0
    first_awards: int = 0
    accepted: int = 0
    revoked: int = 0
    expired: int = 0
    erased: int = 0

    @property
    def ended(self) -> int:
        return self.revoked + self.expired + self.erased

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, name) + getattr(other, name) for name in NAMES))


NAMES = tuple(Figures.__dataclass_fields__)
Counted = Mapping[tuple[int, date], Figures]
"""Figures by badge template and week. What is left out is zero."""


class Acceptance(Protocol):
    """Which badges learners accept at a provider, and which of them they have accepted."""

    def asks(self, template: BadgeTemplate) -> bool: ...

    def accepted(self, awards: QuerySet[BadgeAward]) -> Sequence[QuerySet[BadgeAward]]: ...


class NobodyAsks:
    """No provider has learners accept anything."""

    def asks(self, template: BadgeTemplate) -> bool:
        return False

    def accepted(self, awards: QuerySet[BadgeAward]) -> Sequence[QuerySet[BadgeAward]]:
        return ()


def week_of(moment: datetime) -> date:
    """Return the Monday on which the week of an instant begins."""
    day = site_day(moment)
    return day - timedelta(days=day.weekday())


def weeks_from(first: date, last: date) -> list[date]:
    """Return the weeks between two, with both."""
    return [first + number * WEEK for number in range((last - first) // WEEK + 1)]


def next_week(position: date | None) -> date | None:
    """Return the first week, not before ``position``, of which something may be counted. Three queries."""
    found = [week_of(moment) for moment in (_first(name, position) for name in ("awarded_at", "revoked_at")) if moment]
    stored = BadgeWeek.objects.order_by("week").values_list("week", flat=True)
    found += (stored if position is None else stored.filter(week__gte=position))[:1]
    return min(found, default=None)


def _first(name: str, position: date | None) -> datetime | None:
    """Return the first time in a column; of an index, one row is read."""
    condition = {f"{name}__isnull": False} if position is None else {f"{name}__gte": site_midnight(position)}
    return BadgeAward.objects.filter(**condition).order_by(name).values_list(name, flat=True).first()


def count(weeks: Sequence[date], acceptance: Acceptance) -> Counted:
    """Return what became of badges in weeks that follow one another, ``MOST_WEEKS`` at most.

    Two queries, and one for each provider that has learners accept badges.
    """
    found: dict[tuple[int, date], Figures] = defaultdict(Figures)

    def note(template_id: int, bucket: int, **more: int) -> None:
        key = template_id, weeks[bucket]
        found[key] += Figures(**more)

    awarded = _in(weeks, "awarded_at")
    first = Count("pk", filter=Q(number=1))
    for template_id, bucket, number, of_first in _counted(awarded, "progress__template", "bucket", first=first):
        note(template_id, bucket, awarded=number, first_awards=of_first)
    for accepted in acceptance.accepted(awarded):
        for template_id, bucket, number in _counted(accepted, "progress__template", "bucket"):
            note(template_id, bucket, accepted=number)
    ended = _in(weeks, "revoked_at")
    for template_id, bucket, how, number in _counted(ended, "progress__template", "bucket", "ended_by"):
        note(template_id, bucket, **{_kind(how): number})
    return found


def count_all(acceptance: Acceptance) -> Counted:
    """Return what became of badges since the beginning. For sites that are not large."""
    found: dict[tuple[int, date], Figures] = {}
    week = next_week(None)
    while week is not None:
        found.update(count(weeks_from(week, week + (MOST_WEEKS - 1) * WEEK), acceptance))
        week = next_week(week + MOST_WEEKS * WEEK)
    return found


def learners() -> dict[int, int]:
    """Return how many learners began each badge, by badge template. One query, which reads an index as a whole."""
    return dict(BadgeProgress.objects.values_list("template").annotate(Count("pk")).order_by())


def keep_week(week: date, figures: Counted) -> None:
    """Keep what was counted of a week, instead of what was known of it."""
    rows = [
        BadgeWeek(template_id=template_id, week=week, **{name: getattr(each, name) for name in NAMES})
        for (template_id, _), each in sorted(figures.items())
    ]
    with transaction.atomic():
        BadgeWeek.objects.filter(week=week).delete()
        BadgeWeek.objects.bulk_create(rows, batch_size=1000)


def keep_totals() -> None:
    """Keep how badges stand, by the weeks that are kept. Two queries to read."""
    began = learners()
    sums = {name: Sum(name) for name in NAMES}
    rows = BadgeWeek.objects.values("template_id").annotate(**sums).order_by().values_list("template_id", *NAMES)
    kept = {template_id: Figures(*values) for template_id, *values in rows}
    totals = totals_of(began, kept)
    with transaction.atomic():
        BadgeTotal.objects.all().delete()
        BadgeTotal.objects.bulk_create(totals, batch_size=1000)


def totals_of(began: Mapping[int, int], figures: Mapping[int, Figures]) -> list[BadgeTotal]:
    """Return how badges stand, given everything that became of them."""
    totals = []
    for template_id in sorted({*began, *figures}):
        each = figures.get(template_id, Figures())
        # Counted one after the other, while events come: none may be below what it contains.
        held = max(each.awarded - each.ended, 0)
        ever = max(each.first_awards, 0)
        totals.append(
            BadgeTotal(template_id=template_id, learners=max(began.get(template_id, 0), ever), ever=ever, held=held)
        )
    return totals


def by_template(counted: Iterable[tuple[tuple[int, date], Figures]]) -> dict[int, Figures]:
    """Return figures of all weeks together, by badge template."""
    found: dict[int, Figures] = defaultdict(Figures)
    for (template_id, _), figures in counted:
        found[template_id] += figures
    return dict(found)


def _in(weeks: Sequence[date], name: str) -> QuerySet[BadgeAward]:
    """Return the awards with a time in one of the weeks; ``bucket`` is the number of the week."""
    bounds = [site_midnight(week) for week in (*weeks, weeks[-1] + WEEK)]
    rows = BadgeAward.objects.filter(**{f"{name}__gte": bounds[0], f"{name}__lt": bounds[-1]})
    cases = [When(**{f"{name}__lt": end}, then=Value(number)) for number, end in enumerate(bounds[1:])]
    return rows.annotate(bucket=Case(*cases, output_field=IntegerField()))


def _counted(rows: QuerySet[BadgeAward], *by: str, **more: Count) -> Iterator[tuple[Any, ...]]:
    """Yield how many awards there are by some columns."""
    columns: Any = rows.values(*by).annotate(counted=Count("pk"), **more).order_by()
    yield from columns.values_list(*by, "counted", *more)


def _kind(ended_by: str) -> str:
    return (
        {Ending.EXPIRED: "expired", Ending.ERASED: "erased"}.get(Ending(ended_by), "revoked") if ended_by else "revoked"
    )
