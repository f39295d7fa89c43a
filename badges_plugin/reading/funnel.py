"""How far learners get with a badge, and what takes them longest: of all of them, or of some that stand for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any, cast

from django.db.models import Max, Min, QuerySet

from badges_plugin.criteria import Register, Standing, Tally
from badges_plugin.models import BadgeAward, BadgeProgress, Fulfillment
from badges_plugin.reading.asking import Said, group_text, with_requirements
from badges_plugin.ruleset import criteria_of, grouped
from badges_plugin.weekly import Acceptance, NobodyAsks

SAMPLE = 1000
"""Learners who are looked at. Of more, as many from each part of the time in which they began."""
_PARTS = 20
MOST_REGISTERS = 20_000
"""What learners have done that is read at most."""
_COLUMNS = (
    "progress_id", "requirement_id", "value_key", "value", "is_fulfilled", "event_id", "event_type", "event_time",
    "made_under", "reset_time", "reset_id", "since", "times",
)  # fmt: skip


@dataclass(frozen=True)
class Pace:
    """How long one requirement takes."""

    requirement_id: int
    sentence: str
    learners: int
    """Those who have fulfilled it."""
    usual: timedelta | None
    """From a learner's first step to this one: half of them were faster. None if nobody has fulfilled it."""
    waiting: int
    """Learners on the way who still have to fulfill it."""


@dataclass(frozen=True)
class Funnel:
    """How far ``learners`` got. ``reached``: how many of them have done at least 0, 1, 2 ... of what is asked for.

    Who ever had the badge has done all of it, whatever was lost since. ``accepted`` is None where nobody is asked to.
    """

    learners: int
    is_sample: bool
    reached: tuple[int, ...]
    held: int
    accepted: int | None
    paces: tuple[Pace, ...]
    """The slowest first, and last those that nobody has fulfilled."""


def funnel(template_id: int, *, acceptance: Acceptance | None = None) -> Funnel:
    """Return how far learners get with a badge. At most 35 queries, and ``SAMPLE`` learners are looked at."""
    acceptance = acceptance or NobodyAsks()
    template = with_requirements([template_id]).get()
    keys, is_sample = _sample(BadgeProgress.objects.filter(template=template_id))
    registers = _registers(keys)
    if registers.left_out:
        keys, is_sample = [key for key in keys if key < registers.left_out], True
    requirements = template.requirements.all()
    criteria = criteria_of(requirements, in_order=template.in_order)
    awards = BadgeAward.objects.filter(progress__in=keys)
    ever = set(awards.values_list("progress", flat=True))
    learners = _Learners(len(criteria.groups))
    counts_from = dict(
        BadgeProgress.objects.filter(pk__in=keys).exclude(counts_from=None).values_list("pk", "counts_from")
    )
    for key in keys:
        standing = criteria.standing(registers.of.get(key, ()), counts_from=counts_from.get(key))
        learners.note(standing, has_had_it=key in ever)
    said = Said(list(requirements))
    texts = [text for members in grouped(requirements) for text in group_text(members, said).requirements]
    sentences = {text.id: text.sentence for text in texts}
    held = awards.filter(revoked_at=None)
    asks = acceptance.asks(template)
    return Funnel(
        learners=len(keys),
        is_sample=is_sample,
        reached=learners.reached,
        held=held.count(),
        accepted=sum(rows.count() for rows in acceptance.accepted(held)) if asks else None,
        paces=tuple(sorted(learners.paces(sentences), key=_slowest_first)),
    )


def _slowest_first(pace: Pace) -> timedelta:
    return timedelta.max if pace.usual is None else -pace.usual


class _Learners:
    """Adds up how far learners are."""

    def __init__(self, groups: int) -> None:
        self._groups = groups
        self._done = [0] * (groups + 1)
        self._took: dict[int, list[float]] = defaultdict(list)
        self._waiting: dict[int, int] = defaultdict(int)

    def note(self, standing: Standing, *, has_had_it: bool) -> None:
        done = self._groups if has_had_it else sum(group.is_fulfilled for group in standing.groups)
        self._done[done] += 1
        first = min(_moments(standing), default=None)
        for group in standing.groups:
            for tally in group.tallies:
                self._note_one(tally, first, is_open=not has_had_it and not group.is_fulfilled and not group.is_waiting)

    def _note_one(self, tally: Tally, first: datetime | None, *, is_open: bool) -> None:
        key, moment = tally.criterion.id, tally.completed_at
        if moment is not None and first is not None:
            self._took[key].append((moment - first).total_seconds())
        elif is_open:
            self._waiting[key] += 1

    @property
    def reached(self) -> tuple[int, ...]:
        return tuple(sum(self._done[number:]) for number in range(len(self._done)))

    def paces(self, sentences: dict[int, str]) -> Iterator[Pace]:
        for key, sentence in sentences.items():
            took = self._took[key]
            usual = timedelta(seconds=median(took)) if took else None
            yield Pace(key, sentence, len(took), usual, self._waiting[key])


def _moments(standing: Standing) -> Iterator[datetime]:
    return (held.since for group in standing.groups for tally in group.tallies for held in tally.held)


def _sample(rows: QuerySet[BadgeProgress]) -> tuple[list[int], bool]:
    """Return the keys of all rows if there are few, otherwise of as many in each part of the span of their keys."""
    some = list(rows.order_by("pk").values_list("pk", flat=True)[: SAMPLE + 1])
    if len(some) <= SAMPLE:
        return some, False
    ends = rows.aggregate(first=Min("pk"), last=Max("pk"))
    bounds = [ends["first"] + (ends["last"] + 1 - ends["first"]) * part // _PARTS for part in range(_PARTS + 1)]
    keys: list[int] = []
    for begin, end in pairwise(bounds):
        part = rows.filter(pk__gte=begin, pk__lt=end).order_by("pk").values_list("pk", flat=True)
        keys += part[: SAMPLE // _PARTS]
    return keys, True


@dataclass(frozen=True)
class _Registers:
    of: dict[int, list[Register]]
    left_out: int
    """The first learner of whom not everything was read; 0 if it was."""


def _registers(keys: Sequence[int]) -> _Registers:
    """Return what learners have done. As plain rows: of so many, instances of the model would take most of the time."""
    columns = Fulfillment.objects.filter(progress__in=keys).order_by("progress_id").values_list(*_COLUMNS, named=True)
    rows = list(cast("Any", columns[: MOST_REGISTERS + 1]))
    left_out = rows[-1].progress_id if len(rows) > MOST_REGISTERS else 0
    found: dict[int, list[Register]] = defaultdict(list)
    for row in rows:
        found[row.progress_id].append(row)
    return _Registers(found, left_out)
