"""Numbers of badges: what belongs to which week, and that what the workers keep is what was there to count."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges_plugin import api, reading, weekly
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, BadgeTotal, BadgeWeek, NumbersRound
from badges_plugin.weekly import Figures, NobodyAsks
from tests.factories import (
    at,
    make_template,
    make_user,
    penalizes_failing,
    requires_course,
    send_passing,
)
from tests.limits import Lower

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
"""A Wednesday."""
THIS_WEEK, FIRST_WEEK = date(2026, 3, 2), date(2025, 12, 29)
DAY = 1440


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


@pytest.fixture
def template() -> BadgeTemplate:
    template = make_template(name="Logic")
    penalizes_failing(template, requires_course(template))
    return template


def award(template: BadgeTemplate, *, day: float = 0, user: Any = None) -> BadgeAward:
    """Let somebody earn a badge so many days after the tests' epoch, which is a Thursday."""
    user = user or make_user()
    send_passing(user, minute=day * DAY)
    return BadgeAward.objects.filter(progress__user=user, progress__template=template).order_by("-number")[0]


def keep_all(now: datetime | None = None) -> None:
    """Count everything as the workers do, without their turns."""
    week = weekly.next_week(None)
    while week is not None:
        weekly.keep_week(week, weekly.count([week], NobodyAsks()))
        week = weekly.next_week(week + weekly.WEEK)
    weekly.keep_totals()
    NumbersRound.objects.update_or_create(pk=1, defaults={"due_at": now or NOW, "counted_at": NOW})


def all_of(template: BadgeTemplate) -> reading.Numbers:
    return reading.numbers(template.pk)


@pytest.mark.parametrize(
    ("zone", "moment", "week"),
    [
        # Sunday evening in New York is Monday in UTC, and the other way round where the sun rises.
        ("UTC", "2026-03-09T00:00", "2026-03-09"),
        ("UTC", "2026-03-08T23:59", "2026-03-02"),
        ("America/New_York", "2026-03-09T03:59", "2026-03-02"),
        ("America/New_York", "2026-03-09T04:00", "2026-03-09"),  # summer time began on that Sunday
        ("America/New_York", "2026-03-02T04:59", "2026-02-23"),  # before it
        ("America/New_York", "2026-03-02T05:00", "2026-03-02"),
        ("Asia/Kathmandu", "2026-03-08T18:14", "2026-03-02"),
        ("Asia/Kathmandu", "2026-03-08T18:15", "2026-03-09"),
        # A week that begins where a year does not.
        ("UTC", "2026-01-01T00:00", "2025-12-29"),
    ],
)
def test_a_week_begins_on_monday_where_the_site_is(
    settings: Any, template: BadgeTemplate, zone: str, moment: str, week: str
) -> None:
    settings.TIME_ZONE = zone
    instant, begins = datetime.fromisoformat(moment).replace(tzinfo=UTC), date.fromisoformat(week)
    assert weekly.week_of(instant) == begins
    BadgeAward.objects.filter(pk=award(template).pk).update(awarded_at=instant)
    assert weekly.next_week(None) == begins
    before_and_after = weekly.weeks_from(begins - weekly.WEEK, begins + weekly.WEEK)
    assert weekly.count(before_and_after, NobodyAsks()) == {(template.pk, begins): Figures(1, 1)}


def test_what_ended_counts_in_the_week_in_which_it_did(template: BadgeTemplate) -> None:
    ada = make_user()
    award(template, user=ada)
    send_passing(ada, is_passing=False, minute=20 * DAY)
    award(template, day=40, user=ada)
    expired, erased, by_hand = (award(template, day=1), award(template, day=1), award(template, day=1))
    api.revoke_award(by_hand, reason="By mistake.")
    for each, ending in ((expired, "expired"), (erased, "erased")):
        BadgeAward.objects.filter(pk=each.pk).update(revoked_at=at(45 * DAY), ended_by=ending)
    found = all_of(template)
    weeks = {span.begins: span.figures for span in found.spans}
    assert weeks[FIRST_WEEK] == Figures(awarded=4, first_awards=4)
    assert weeks[date(2026, 1, 19)] == Figures(revoked=1)
    assert weeks[date(2026, 2, 9)] == Figures(awarded=1, expired=1, erased=1)  # the second award of the same learner
    assert weeks[THIS_WEEK] == Figures(revoked=1)
    assert len(weeks) == 10, "weeks without anything are there, too"
    assert [span.begins for span in found.spans] == weekly.weeks_from(FIRST_WEEK, THIS_WEEK)
    (badge,) = found.badges
    assert (badge.held, badge.learners, badge.on_the_way) == (1, 4, 0)
    assert badge.figures == found.figures == Figures(awarded=5, first_awards=4, revoked=2, expired=1, erased=1)


def test_a_time_leaves_out_what_was_before(template: BadgeTemplate) -> None:
    for day in (0, 55, 60):
        award(template, day=day)
    recent = reading.numbers(template.pk, weeks=2)
    assert [(span.begins, span.figures.awarded) for span in recent.spans] == [(date(2026, 2, 23), 1), (THIS_WEEK, 1)]
    assert recent.badges[0].held == 3, "however long ago it was"


def test_who_never_had_a_badge_is_on_the_way() -> None:
    template = make_template()
    for number in (1, 2):
        penalizes_failing(template, requires_course(template, f"course-v1:A+{number}+1"), f"course-v1:A+{number}+1")
    ada, bob = make_user(), make_user()
    for user in (ada, bob):
        send_passing(user, "course-v1:A+1+1")
    send_passing(ada, "course-v1:A+2+1")
    send_passing(ada, "course-v1:A+2+1", is_passing=False, minute=5)
    (badge,) = all_of(template).badges
    assert (badge.learners, badge.on_the_way, badge.held) == (2, 1, 0)


@pytest.fixture
def crowd() -> list[BadgeTemplate]:
    """Awards of three badges in 40 weeks, some of which have ended."""
    chance = random.Random(13)  # noqa: S311 - the same in each run
    templates = [make_template(name=name, is_active=False) for name in "ABC"]
    course = make_template()
    requires_course(course)
    users = [make_user() for _ in range(6)]
    proto = award(course)
    for user in users:
        for template in templates:
            progress = BadgeProgress.objects.create(user=user, template=template)
            for number in range(1, chance.randint(1, 4)):
                moment = NOW - timedelta(hours=chance.randint(0, 40 * 168))
                ending = chance.choice(["", "penalty", "expired", "by_hand", "erased"])
                BadgeAward.objects.create(
                    progress=progress, number=number, credential=proto.credential, events=[], awarded_at=moment,
                    ended_by=ending, revoked_at=moment + timedelta(days=chance.randint(0, 30)) if ending else None,
                )  # fmt: skip
    return templates


@pytest.mark.parametrize("weeks", [None, 8, 26])
@pytest.mark.parametrize("which", [None, 0])
def test_what_the_workers_keep_is_what_there_is_to_count(
    crowd: list[BadgeTemplate], lower: Lower, weeks: int | None, which: int | None
) -> None:
    lower(weekly, MOST_WEEKS=7)
    key = None if which is None else crowd[which].pk
    live, lines = reading.numbers(key, weeks=weeks), list(reading.week_by_week(key, weeks=weeks))
    assert live.is_live
    keep_all()
    lower("badges_plugin.reading.numbers", LARGE=0)
    kept = reading.numbers(key, weeks=weeks)
    assert not kept.is_live
    assert (kept.spans, kept.badges, kept.counted_at) == (live.spans, live.badges, NOW)
    assert list(reading.week_by_week(key, weeks=weeks)) == lines
    assert live.figures.awarded == sum(figures.awarded for _week, _template, figures in lines) > 0


def test_what_is_kept_follows_what_is_gone(template: BadgeTemplate, lower: Lower) -> None:
    first, second = award(template), award(template, day=30)
    keep_all()
    keep_all()  # a second time changes nothing
    lower("badges_plugin.reading.numbers", LARGE=0)
    assert all_of(template).figures.awarded == 2
    BadgeProgress.objects.filter(pk=first.progress_id).delete()
    keep_all()
    assert all_of(template).figures.awarded == 1
    BadgeProgress.objects.filter(pk=second.progress_id).delete()
    keep_all()
    assert not BadgeWeek.objects.exists()
    assert not BadgeTotal.objects.exists()
    assert all_of(template).badges == ()


def test_a_large_site_that_was_never_counted_says_so(template: BadgeTemplate, lower: Lower) -> None:
    award(template)
    lower("badges_plugin.reading.numbers", LARGE=0)
    found = all_of(template)
    assert (found.counted_at, found.is_live, found.badges) == (None, False, ())
    assert [span.begins for span in found.spans] == [THIS_WEEK]


@pytest.mark.parametrize(
    ("first", "length", "number"),
    [
        (date(2026, 2, 23), 1, 2),
        (date(2025, 1, 13), 1, 60),
        (date(2025, 1, 6), 4, 16),
        (date(2016, 3, 7), 13, 41),
        (date(1970, 1, 5), 52, 57),  # somebody's clock was wrong
    ],
)
def test_many_weeks_are_put_together(template: BadgeTemplate, first: date, length: int, number: int) -> None:
    BadgeAward.objects.filter(pk=award(template).pk).update(awarded_at=datetime(*first.timetuple()[:3], tzinfo=UTC))
    award(template, day=62)
    found = all_of(template)
    assert (found.weeks_of_span, len(found.spans)) == (length, number)
    assert found.spans[0].figures.awarded == found.spans[-1].figures.awarded == 1
    assert found.spans[-1].begins == THIS_WEEK - (length - 1) * weekly.WEEK


def test_what_is_kept_is_read_by_few_queries(crowd: list[BadgeTemplate], lower: Lower) -> None:
    keep_all()
    lower("badges_plugin.reading.numbers", LARGE=0)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert reading.numbers().badges
    assert len(captured) <= 6
