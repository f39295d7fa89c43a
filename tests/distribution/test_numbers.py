"""The workers count: one week at a time, one worker at a time, and again after an hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from badges_plugin import weekly
from badges_plugin.distribution import numbers
from badges_plugin.distribution.housekeeping import Housekeeping
from badges_plugin.models import BadgeAward, BadgeTemplate, BadgeTotal, BadgeWeek, NumbersRound
from tests.clock import Clock
from tests.factories import make_user, send_passing

pytestmark = pytest.mark.django_db
WEEKS = [date(2026, 1, 5), date(2026, 1, 26), date(2026, 2, 2)]


@pytest.fixture
def awards(template: BadgeTemplate) -> list[BadgeAward]:
    """Awards in three weeks, of which two follow one another."""
    for week in WEEKS:
        send_passing(make_user(), minute=(datetime(*week.timetuple()[:3], tzinfo=UTC) - _EPOCH).total_seconds() / 60)
    return list(BadgeAward.objects.order_by("pk"))


_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def weeks_kept() -> list[date]:
    return list(BadgeWeek.objects.order_by("week").values_list("week", flat=True))


def count_round(now: datetime) -> int:
    """Count until there is nothing more to do; return the number of steps."""
    steps = 1
    while numbers.count_some(now):
        steps += 1
    return steps


@pytest.mark.usefixtures("awards")
def test_a_round_takes_a_step_for_each_week_that_has_anything(clock: Clock, template: BadgeTemplate) -> None:
    assert [numbers.count_some(clock()) for _ in range(4)] == [True, True, False, False]
    assert weeks_kept() == WEEKS
    total = BadgeTotal.objects.get()
    assert (total.template_id, total.learners, total.ever, total.held) == (template.pk, 3, 3, 3)
    assert NumbersRound.objects.get().counted_at == clock.start


def test_nothing_to_count_is_counted_as_well(db: None, clock: Clock) -> None:
    assert not numbers.count_some(clock())
    assert NumbersRound.objects.get().counted_at == clock.start


@pytest.mark.usefixtures("awards")
def test_it_counts_again_after_an_hour(clock: Clock) -> None:
    count_round(clock())
    send_passing(make_user(), minute=32 * 1440)
    assert count_round(clock.move_to(0.9 / 24)) == 1
    assert BadgeTotal.objects.get().held == 3
    assert count_round(clock.move_to(1.1 / 24)) == 3
    assert BadgeTotal.objects.get().held == 4


@pytest.mark.usefixtures("awards")
@pytest.mark.parametrize(("hours", "wait"), [(0.01, 1.0), (0.1, 5.0), (10, 24.0)])
def test_a_site_that_takes_long_is_counted_less_often(clock: Clock, hours: float, wait: float) -> None:
    """Of a worker's time it takes a fiftieth at most, but a day is never left out."""
    numbers.count_some(clock())
    numbers.count_some(clock())
    clock.move_to(hours / 24)
    assert not numbers.count_some(clock())
    assert NumbersRound.objects.get().due_at - clock.start == timedelta(hours=wait)


@pytest.mark.usefixtures("awards")
def test_one_worker_counts_at_a_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    begin = weekly.count

    def count(*args: Any) -> Any:
        seen.append(numbers.count_some(clock()))  # another worker, while this one counts
        return begin(*args)

    monkeypatch.setattr(weekly, "count", count)
    assert count_round(clock()) == 3
    assert seen == [False] * 3


@pytest.mark.usefixtures("awards")
def test_a_step_that_was_lost_is_done_again_by_another(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers.count_some(clock())
    with monkeypatch.context() as patch:
        patch.setattr(weekly, "keep_week", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            numbers.count_some(clock())
    assert not numbers.count_some(clock()), "it may still be at it"
    assert count_round(clock.move_to(0.1)) == 2
    assert weeks_kept() == WEEKS
    assert NumbersRound.objects.get().counted_at == clock.start


@pytest.mark.usefixtures("awards")
def test_a_worker_that_was_taken_for_lost_changes_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = weekly.next_week

    def next_week(position: date | None) -> date | None:
        if position == WEEKS[0] + timedelta(days=7):
            monkeypatch.setattr(weekly, "next_week", begin)
            count_round(clock.move_to(0.1))  # the other one, which began anew and finished
        return begin(position)

    monkeypatch.setattr(weekly, "next_week", next_week)
    numbers.count_some(clock())
    state = NumbersRound.objects.get()
    assert (state.next_week, state.counted_at) == (None, clock.day(0.1))


@pytest.mark.usefixtures("awards")
def test_every_worker_has_the_chore() -> None:
    for _ in range(len(WEEKS)):
        Housekeeping(clock=lambda: 0.0).do_due_chores(timezone.now())
    assert weeks_kept() == WEEKS


def test_a_backend_that_asks_nobody_has_nothing_accepted(awards: list[BadgeAward], template: BadgeTemplate) -> None:
    providers = numbers.AtProviders()
    assert not providers.asks(template)
    assert providers.names(template) == []
    assert [rows.count() for rows in providers.accepted(BadgeAward.objects.all())] in ([], [0])
