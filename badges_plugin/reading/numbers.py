"""How badges are doing: what was awarded, accepted and lost, week by week, and who holds what today.

A large site is read as the workers have counted it; one that is not, is counted when somebody asks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Max, Min, Model, QuerySet, Sum
from django.utils import timezone

from badges_plugin import weekly
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, BadgeTotal, BadgeWeek, NumbersRound
from badges_plugin.weekly import NAMES, WEEK, Acceptance, Figures, NobodyAsks

LARGE = 20_000
"""Awards, or learners on the way, from which on nothing is counted while somebody waits."""
SPANS = (1, 4, 13, 52)
"""Weeks that are shown as one where there are many."""
MOST_SPANS = 60


@dataclass(frozen=True)
class Span:
    """Some weeks that are shown as one. ``begins`` is a Monday."""

    begins: date
    figures: Figures


@dataclass(frozen=True)
class BadgeNumbers:
    """How one badge is doing. ``asks``: learners have to accept it at a provider."""

    template_id: int
    name: str
    learners: int
    on_the_way: int
    """Learners who began it and never got it."""
    held: int
    figures: Figures
    asks: bool


@dataclass(frozen=True)
class Numbers:
    """How badges are doing, those with most awards in this time first. ``counted_at`` is None if nothing was yet."""

    spans: tuple[Span, ...]
    weeks_of_span: int
    badges: tuple[BadgeNumbers, ...]
    counted_at: datetime | None
    is_live: bool
    """Whether all of this was counted just now."""

    @property
    def is_counted(self) -> bool:
        """Whether there is anything to go by. If not, all that is here is zero."""
        return self.counted_at is not None

    @property
    def figures(self) -> Figures:
        return sum((span.figures for span in self.spans), Figures())

    @property
    def asked(self) -> int:
        """Return how many of the awards in this time learners were asked to accept."""
        return sum(badge.figures.awarded for badge in self.badges if badge.asks)

    @property
    def held(self) -> int:
        return sum(badge.held for badge in self.badges)

    @property
    def on_the_way(self) -> int:
        return sum(badge.on_the_way for badge in self.badges)


def numbers(
    template_id: int | None = None, *, weeks: int | None = None, acceptance: Acceptance | None = None
) -> Numbers:
    """Return how one badge or all of them are doing in the last ``weeks``, with this one, or since the beginning.

    Seven queries, whatever was awarded; where it is counted while somebody waits, seven more for each year with awards.
    """
    acceptance = acceptance or NobodyAsks()
    this_week = weekly.week_of(timezone.now())
    since = None if weeks is None else this_week - (weeks - 1) * WEEK
    wanted = _Wanted(template_id, since)
    counted = _live(acceptance, wanted) if is_small() else _kept(wanted)
    first = since if since is not None else min((*counted.by_week, this_week))
    spans, length = _spans(first, max((*counted.by_week, this_week)), counted.by_week)
    return Numbers(spans, length, _badges(counted, acceptance), counted.at, counted.is_live)


def is_small() -> bool:
    """Return whether everything can be counted while somebody waits, as keys tell. Two queries."""
    return not _is_large(BadgeAward) and not _is_large(BadgeProgress)


def _is_large(model: type[Model]) -> bool:
    keys = model._base_manager.aggregate(first=Min("pk"), last=Max("pk"))  # noqa: SLF001  Django's documented name
    return keys["last"] is not None and int(keys["last"] - keys["first"]) >= LARGE


@dataclass(frozen=True)
class _Wanted:
    """Which badge and since when; None is all of them, and always."""

    template_id: int | None
    since: date | None

    def includes(self, template_id: int, week: date) -> bool:
        return self.template_id in {None, template_id} and (self.since is None or week >= self.since)

    def kept(self) -> QuerySet[BadgeWeek]:
        """Return what the workers keep of it."""
        rows = BadgeWeek.objects.order_by()
        if self.since is not None:
            rows = rows.filter(week__gte=self.since)
        return rows if self.template_id is None else rows.filter(template_id=self.template_id)


@dataclass(frozen=True)
class _Counted:
    by_week: Mapping[date, Figures]
    by_badge: Mapping[int, Figures]
    totals: Mapping[int, BadgeTotal]
    at: datetime | None
    is_live: bool


def _live(acceptance: Acceptance, wanted: _Wanted) -> _Counted:
    counted = weekly.count_all(acceptance)
    by_week: dict[date, Figures] = defaultdict(Figures)
    by_badge: dict[int, Figures] = defaultdict(Figures)
    for (template_id, week), figures in counted.items():
        if wanted.includes(template_id, week):
            by_week[week] += figures
            by_badge[template_id] += figures
    totals = weekly.totals_of(weekly.learners(), weekly.by_template(counted.items()))
    own = {total.template_id: total for total in totals if wanted.template_id in {None, total.template_id}}
    return _Counted(by_week, by_badge, own, timezone.now(), is_live=True)


def _kept(wanted: _Wanted) -> _Counted:
    """Add up in the database: a large site may have a thousand badges and hundreds of weeks."""
    sums = {name: Sum(name) for name in NAMES}

    def figures_by(column: str) -> dict[Any, Figures]:
        rows = wanted.kept().values(column).annotate(**sums).values_list(column, *NAMES)
        return {key: Figures(*values) for key, *values in rows}

    totals = BadgeTotal.objects.order_by("template_id")
    if wanted.template_id is not None:
        totals = totals.filter(template_id=wanted.template_id)
    counted_at = NumbersRound.objects.values_list("counted_at", flat=True).first()
    by_key = {total.template_id: total for total in totals}
    return _Counted(figures_by("week"), figures_by("template_id"), by_key, counted_at, is_live=False)


def _spans(first: date, last: date, weeks: Mapping[date, Figures]) -> tuple[tuple[Span, ...], int]:
    """Put weeks together until there are few enough; the last span always ends with the last week."""
    number = (last - first) // WEEK + 1
    length = next((each for each in SPANS if number <= each * MOST_SPANS), SPANS[-1])
    first -= (-number % length) * WEEK
    found: dict[date, Figures] = {begins: Figures() for begins in weekly.weeks_from(first, last)[::length]}
    for week, figures in weeks.items():
        found[week - ((week - first) // WEEK % length) * WEEK] += figures
    return tuple(Span(begins, figures) for begins, figures in found.items()), length


def _badges(counted: _Counted, acceptance: Acceptance) -> tuple[BadgeNumbers, ...]:
    """Return what is known of badges. Those that were deleted since they were counted are left out."""
    found = []
    keys = {*counted.by_badge, *counted.totals}
    for template in BadgeTemplate.objects.filter(pk__in=keys).order_by("name", "pk"):
        total = counted.totals.get(template.pk) or BadgeTotal(template_id=template.pk, learners=0, ever=0, held=0)
        found.append(
            BadgeNumbers(
                template_id=template.pk,
                name=template.name,
                learners=total.learners,
                on_the_way=total.learners - total.ever,
                held=total.held,
                figures=counted.by_badge.get(template.pk, Figures()),
                asks=acceptance.asks(template),
            )
        )
    return tuple(sorted(found, key=lambda badge: (-badge.figures.awarded, -badge.held)))


def week_by_week(
    template_id: int | None = None, *, weeks: int | None = None, acceptance: Acceptance | None = None
) -> Iterator[tuple[date, BadgeTemplate, Figures]]:
    """Yield what became of badges in each week in which anything did, the oldest first, as ``numbers`` counts it.

    Six queries, or what ``numbers`` makes where it counts.
    """
    wanted = _Wanted(template_id, None if weeks is None else weekly.week_of(timezone.now()) - (weeks - 1) * WEEK)
    templates = BadgeTemplate.objects.in_bulk() if template_id is None else BadgeTemplate.objects.in_bulk([template_id])
    for week, template, figures in _lines_counted(acceptance or NobodyAsks(), wanted):
        if template in templates:
            yield week, templates[template], figures


def _lines_counted(acceptance: Acceptance, wanted: _Wanted) -> Iterator[tuple[date, int, Figures]]:
    if is_small():
        for (template_id, week), figures in sorted(weekly.count_all(acceptance).items(), key=lambda row: row[0][::-1]):
            if wanted.includes(template_id, week):
                yield week, template_id, figures
        return
    rows = wanted.kept().order_by("week", "template_id").values_list("week", "template_id", *NAMES)
    for week, template_id, *values in rows.iterator(chunk_size=2000):
        yield week, template_id, Figures(*values)
