"""Follow the synthetic learners to their awards and deliveries, with few and cheap queries."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from badges_plugin import synthetic
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import NOT_DELIVERED, State
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate

_AT_ONCE = 5000
_PERCENTILES = (50, 90, 99, 100)
MIN_PAUSE_SECONDS = 0.5
LOAD = 20
"""The pause between two questions is this many times as long as the question took."""


@dataclass
class Delays:
    """Seconds from the events on."""

    seconds: array[float] = field(default_factory=lambda: array("d"))
    first: datetime | None = None
    last: datetime | None = None

    def add(self, since: datetime, until: datetime) -> None:
        self.seconds.append(max((until - since).total_seconds(), 0.0))
        self.first = since if self.first is None else min(self.first, since)
        self.last = until if self.last is None else max(self.last, until)

    @property
    def rate(self) -> float:
        """Return how many there were a second, from the first event to the last result."""
        if self.first is None or self.last is None:
            return 0.0
        return len(self.seconds) / max((self.last - self.first).total_seconds(), 0.001)

    def percentiles(self) -> list[tuple[int, float]]:
        """Return the delays that so many percent stayed below, by the nearest rank."""
        ordered = sorted(self.seconds)
        ranks = ((percent, -(-len(ordered) * percent // 100)) for percent in _PERCENTILES)
        return [(percent, ordered[rank - 1]) for percent, rank in ranks if ordered]


class Follower:
    """Looks how far the site is."""

    def __init__(self, template: BadgeTemplate) -> None:
        self._template = template
        self.pause = MIN_PAUSE_SECONDS

    def awarded(self) -> int:
        """Return how many learners have the badge: progress and award are written together."""
        return self._asked(BadgeProgress.objects.filter(template=self._template).count)

    def waiting(self) -> int:
        """Return how many deliveries are not settled yet."""
        return self._asked(self._deliveries().filter(state=State.PENDING).count)

    def awards(self) -> tuple[Delays, Delays]:
        """Return the delays from the events to their awards: that of the first learner, and those of the others."""
        rows = BadgeAward.objects.filter(progress__template=self._template)
        rows = rows.annotate(since=F("awarded_at"), until=F("recorded_at"))
        first = Q(progress__user__lms_user_id=synthetic.FIRST_LMS_USER_ID)
        return _delays(rows.filter(first)), _delays(rows.exclude(first))

    def deliveries(self) -> tuple[Delays, int]:
        """Return the delays from the events to the settled deliveries, and how many of them failed or were cancelled.

        The delays are those of the deliveries that the provider has.
        """
        done = self._deliveries().filter(state=State.DONE)
        failed = self._deliveries().filter(state__in=(State.FAILED, *NOT_DELIVERED)).count()
        return _delays(done.annotate(since=F("award__awarded_at"), until=F("settled_at"))), failed

    def _deliveries(self) -> QuerySet[Delivery]:
        return Delivery.objects.filter(award__progress__template=self._template)

    def _asked(self, question: Any) -> int:
        started = time.monotonic()
        answer: int = question()
        self.pause = max(MIN_PAUSE_SECONDS, LOAD * (time.monotonic() - started))
        return answer


def _delays(rows: QuerySet[Any]) -> Delays:
    delays = Delays()
    for since, until in _pages(rows):
        delays.add(since, until)
    return delays


def _pages(rows: QuerySet[Any]) -> Iterator[tuple[datetime, datetime]]:
    """Yield the rows in small steps: the drivers keep a whole answer in memory."""
    last = 0
    while page := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", "since", "until")[:_AT_ONCE]):
        yield from ((since, until) for _, since, until in page)
        last = page[-1][0]
