"""Signs of life of the processes, and how far consumer groups are: written seldom, read by staff and the monitoring.

Consumers and workers report twice a minute, beside their work. How far a group is behind is measured by the workers
(``consumers.lag_watch``): a consumer that is dead cannot tell.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Max, Q
from django.utils import timezone

from badges_plugin import database
from badges_plugin.logs import get_logger
from badges_plugin.models import ConsumerGroup, EventCount, PartitionLag, RunningProcess
from badges_plugin.redaction import describe

logger = get_logger(__name__)

Kind = RunningProcess.Kind

REPORT_SECONDS = 30.0
ALIVE = timedelta(minutes=3)
"""A process that has reported within this time is taken to run; a large batch or a restart of the database fits in."""
KNOWN = timedelta(minutes=5)
"""A measurement of the lag that is older says nothing about now."""
LATE = timedelta(minutes=5)
"""Events that wait for longer wait for more than a batch or a restart."""
_FORGET = timedelta(days=30)
"""Until then the lag of a group is measured although none of its consumers has reported."""


@dataclass(frozen=True)
class GroupName:
    """A consumer group of a topic or stream, whose name has its prefix."""

    bus: str
    topic: str
    group: str


class Vitals:
    """The reports of one process. ``counts`` are of the events of ``group``, by what became of them.

    What is reported is taken off ``counts``; others add to it.
    """

    def __init__(
        self,
        kind: Kind,
        group: GroupName | None = None,
        counts: Counter[str] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kind = kind
        self._group = group
        self._counts = Counter() if counts is None else counts
        self._name = f"{socket.gethostname()}:{os.getpid()}"[-128:]
        self._started_at = timezone.now()
        self._clock = clock
        self._due = float("-inf")

    def report_when_due(self) -> None:
        """Report if it is time. An error is logged and left to the next time: work is more important."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + REPORT_SECONDS
        self._quietly(self._report)

    def end(self) -> None:
        """Report for the last time: this process ends, as it should."""
        self._quietly(self._end)

    def _quietly(self, write: Callable[[datetime], None]) -> None:
        counts = +self._counts
        try:
            with transaction.atomic():
                write(timezone.now())
                self._add(counts)
            self._counts.subtract(counts)
        except Exception as error:  # noqa: BLE001 - see above
            logger.warning("This process could not report that it runs: %s", describe(error))
            database.refresh_connections()

    def _report(self, now: datetime) -> None:
        times = {"started_at": self._started_at, "beat_at": now, "ended_at": None}
        RunningProcess.objects.update_or_create(kind=self._kind, name=self._name, defaults=times)

    def _end(self, now: datetime) -> None:
        RunningProcess.objects.filter(kind=self._kind, name=self._name).update(beat_at=now, ended_at=now)

    def _add(self, counts: Counter[str]) -> None:
        group = self._group
        if group is None or max(len(group.topic), len(group.group)) > ConsumerGroup.MAX_LENGTH:
            return
        row, _ = ConsumerGroup.objects.update_or_create(
            bus=group.bus, topic=group.topic, group=group.group, defaults={"seen_at": timezone.now()}
        )
        for outcome, number in sorted(counts.items()):
            EventCount.objects.get_or_create(consumer_group=row, outcome=outcome)
            EventCount.objects.filter(consumer_group=row, outcome=outcome).update(total=F("total") + number)


@dataclass(frozen=True)
class Running:
    """How many processes of a kind run, and when the last report came; None if there was none in a month."""

    kind: Kind
    number: int
    last_report: datetime | None

    @property
    def silent_since(self) -> datetime | None:
        """Return when the last report came, if such processes have run here and none does now."""
        return None if self.number else self.last_report


def running(now: datetime) -> tuple[Running, ...]:
    """Return what runs, for each kind of process. One query."""
    alive = Count("pk", filter=Q(ended_at=None, beat_at__gte=now - ALIVE))
    rows = RunningProcess.objects.values("kind").annotate(number=alive, last=Max("beat_at")).order_by()
    found = {kind: (number, last) for kind, number, last in rows.values_list("kind", "number", "last")}
    return tuple(Running(kind, *found.get(kind.value, (0, None))) for kind in Kind)


@dataclass(frozen=True)
class GroupLag:
    """How far a group is behind. ``partitions`` is empty where that is not known now; ``problem`` may say why."""

    name: GroupName
    measured_at: datetime | None
    problem: str
    partitions: tuple[PartitionLag, ...]

    @property
    def messages(self) -> int:
        return sum(each.messages or 0 for each in self.partitions)

    @property
    def seconds(self) -> int:
        """How long the oldest event that waits has been there."""
        return max((each.seconds or 0 for each in self.partitions), default=0)


def group_lags(now: datetime) -> list[GroupLag]:
    """Return how far the groups are behind. Two queries."""
    found = []
    for row in ConsumerGroup.objects.prefetch_related("lags").order_by("bus", "topic", "group"):
        is_known = row.measured_at is not None and now - row.measured_at <= KNOWN
        partitions = sorted(row.lags.all(), key=lambda each: each.partition) if is_known else ()
        name = GroupName(row.bus, row.topic, row.group)
        found.append(GroupLag(name, row.measured_at, row.problem, tuple(partitions)))
    return found


def event_counts() -> list[tuple[GroupName, str, int]]:
    """Return what became of the events of each group since the beginning, and of how many. One query."""
    names = ("consumer_group__bus", "consumer_group__topic", "consumer_group__group")
    rows = EventCount.objects.order_by(*names, "outcome").values_list(*names, "outcome", "total")
    return [(GroupName(bus, topic, group), outcome, total) for bus, topic, group, outcome, total in rows]


def keep_lag(row: ConsumerGroup, lags: Sequence[PartitionLag], now: datetime) -> None:
    """Keep a measurement instead of the one before."""
    with transaction.atomic():
        # First, so that two measurements follow one another.
        ConsumerGroup.objects.filter(pk=row.pk).update(measured_at=now, problem="")
        PartitionLag.objects.filter(consumer_group=row).delete()
        PartitionLag.objects.bulk_create(lags)


def forget(now: datetime) -> bool:
    """Forget processes and groups that have not reported for long. A chore; there is never more to do at once."""
    RunningProcess.objects.filter(beat_at__lt=now - _FORGET).delete()
    ConsumerGroup.objects.filter(seen_at__lt=now - _FORGET).delete()
    return False
