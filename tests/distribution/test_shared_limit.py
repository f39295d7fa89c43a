"""A pace that processes share: no two of them send at the same time, and none waits for one that died."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from badges_plugin.distribution import shared_limit
from badges_plugin.distribution.models import RateLimit
from badges_plugin.distribution.rate_limit import RateLimiter, until
from badges_plugin.distribution.shared_limit import reserve, shared_limiter
from tests.meanwhile import in_a_thread

GAP = 0.5


class Day:
    """A clock that sleeping moves, and a reservation as the database makes it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.free_from = 0.0
        self.reserved: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def reserve(self, seconds: float) -> float:
        self.reserved.append(seconds)
        begins = max(self.free_from, self.now)
        self.free_from = begins + seconds
        return begins - self.now

    def limiter(self, per_minute: float = 60 / GAP) -> RateLimiter:
        return RateLimiter(per_minute, reserve=self.reserve, clock=lambda: self.now, sleep=self.sleep)


def test_processes_that_take_turns_keep_the_pace_together() -> None:
    day = Day()
    processes = [day.limiter() for _ in range(3)]
    sent = []
    for _ in range(20):
        for process in processes:
            assert process.wait()
            sent.append(day.now)

    assert min(later - earlier for earlier, later in pairwise(sent)) >= GAP - 1e-6


def test_a_busy_process_reserves_up_to_a_second_and_an_idle_one_a_single_turn() -> None:
    day = Day()
    limiter = day.limiter(per_minute=480)
    for _ in range(30):
        limiter.wait()
    assert day.reserved[:4] == pytest.approx([0.125, 0.25, 0.5, 1.0])
    assert max(day.reserved) == pytest.approx(1.0)
    # It uses all of its time.
    assert day.now == pytest.approx(100 + 29 * 0.125)

    day.now += 60
    limiter.wait()
    assert day.reserved[-1] == pytest.approx(0.125)


def test_unused_time_is_not_made_up_for() -> None:
    day = Day()
    limiter = day.limiter()
    limiter.wait()
    day.now += 60
    sent = []
    for _ in range(4):
        limiter.wait()
        sent.append(day.now)

    assert [later - earlier for earlier, later in pairwise(sent)] == pytest.approx([GAP] * 3)


def test_nobody_waits_for_a_turn_that_comes_too_late_and_the_turn_is_kept() -> None:
    day = Day()
    day.free_from = day.now + 10
    limiter = day.limiter()

    assert not limiter.wait(at_most=5)
    with until(day.now + 5):
        assert not limiter.wait()
    assert limiter.wait(at_most=11)
    assert day.now == pytest.approx(110)
    assert len(day.reserved) == 1


@pytest.mark.django_db
def test_reservations_follow_each_other() -> None:
    waits = [reserve("a", 10), reserve("a", 10), reserve("a", 5), reserve("b", 10)]

    assert waits == pytest.approx([0, 10, 20, 0], abs=5)
    # Other tests may have reserved in threads, and these commit.
    assert RateLimit.objects.filter(name__in=["a", "b"]).count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("free_in", "waits"),
    [
        (timedelta(days=-1), 0),
        (timedelta(minutes=5), 300),
        # The database's clock was set back by an hour.
        (timedelta(hours=1), 0),
    ],
)
def test_what_was_reserved_before(free_in: timedelta, waits: float) -> None:
    RateLimit.objects.create(name="a", free_from=timezone.now() + free_in)

    assert reserve("a", 1) == pytest.approx(waits, abs=30)
    assert reserve("a", 1) == pytest.approx(waits + 1, abs=30)


@pytest.mark.django_db
def test_only_the_clock_of_the_database_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2050, 1, 1, tzinfo=UTC))
    reserve("a", 10)

    assert RateLimit.objects.get(name="a").free_from.year < 2050


def test_without_the_database_a_process_keeps_its_own_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, seconds: float) -> float:
        raise DatabaseError("away")

    monkeypatch.setattr(shared_limit, "reserve", fail)
    limiter = shared_limiter("without a database", 60_000)

    assert [limiter.wait() for _ in range(3)] == [True] * 3


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_no_second_is_reserved_twice() -> None:
    began = timezone.now()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(_reserve_some, range(4)))

    free_from = RateLimit.objects.get(name="a").free_from
    assert timedelta(seconds=39) <= free_from - began <= timedelta(seconds=70)


@in_a_thread
def _reserve_some(number: int) -> Any:
    return [reserve("a", 1) for _ in range(10)]
