"""The date of a badge is the time of the event that completed it, and the times of a badge only grow."""

from __future__ import annotations

import itertools
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from openedx_events.data import EventsMetadata
from openedx_events.learning.signals import BADGE_AWARDED, BADGE_REVOKED, COURSE_PASSING_STATUS_UPDATED

from badges_plugin import api, handlers
from badges_plugin.backfill.commands import time_argument
from badges_plugin.data import ValueKind
from badges_plugin.models import BadgeAward
from badges_plugin.processing import collector
from badges_plugin.rules import compile_rule
from tests.core.admin_pages import staff, text, url
from tests.core.test_backfill import HEADER, backfill
from tests.factories import (
    COURSE,
    PASSING,
    at,
    make_template,
    make_user,
    metadata,
    passing_data,
    penalizes,
    penalizes_failing,
    requires,
    requires_course,
    send_passing,
    user_data,
)

pytestmark = pytest.mark.django_db
OTHER, THIRD = "course-v1:Demo+Other+1", "course-v1:Demo+Third+1"
AWARDED_TYPE, REVOKED_TYPE = "org.openedx.learning.badge.awarded.v1", "org.openedx.learning.badge.revoked.v1"


def award_times() -> list[tuple[datetime, datetime | None]]:
    return list(BadgeAward.objects.order_by("number").values_list("awarded_at", "revoked_at"))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_d2_the_date_is_that_of_the_last_thing_needed_in_whatever_order_it_came(order: tuple[int, ...]) -> None:
    template, user = make_template(), make_user()
    courses = (COURSE, OTHER, THIRD)
    for course in courses:
        requires_course(template, course)
    for index in order:
        send_passing(user, courses[index], minute=index)
    award = BadgeAward.objects.get()
    assert award.awarded_at == at(2)
    assert award.recorded_at > at(2)


DATES: list[tuple[list[tuple[str, bool, float]], float]] = [
    # what was heard in this order: course, is_passing, minute; the date of the badge. OTHER is as good as COURSE.
    ([(COURSE, True, 0), (THIRD, True, 1)], 1),
    # Grades are told again and again, without anything new in them.
    ([(COURSE, True, 0), (COURSE, True, 9), (THIRD, True, 1)], 1),
    # The group was fulfilled by the first alternative.
    ([(OTHER, True, 0), (COURSE, True, 9), (THIRD, True, 1)], 1),
    ([(COURSE, True, 9), (OTHER, True, 0), (THIRD, True, 1)], 1),
    # What was lost meanwhile counts from when it was earned again.
    ([(COURSE, True, 0), (COURSE, False, 1), (COURSE, True, 2), (THIRD, True, 1)], 2),
    ([(THIRD, True, 5), (COURSE, True, 0)], 5),
]


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize(("heard", "minute"), DATES)
def test_d2_a_group_counts_since_it_was_fulfilled(
    heard: list[tuple[str, bool, float]], minute: float, at_once: bool
) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template, COURSE, group="either"))
    requires_course(template, OTHER, group="either")
    requires_course(template, THIRD)
    if at_once:
        api.process_history(
            api.read_event(
                PASSING,
                metadata(time=at(when)),
                {"course_passing_status": passing_data(user_data(user), course, is_passing=is_passing)},
            )
            for course, is_passing, when in heard
        )
    else:
        for course, is_passing, when in heard:
            send_passing(user, course, is_passing=is_passing, minute=when)
    assert award_times() == [(at(minute), None)]


def test_d2_a_badge_that_is_earned_again_after_an_outage_bears_the_times_of_what_happened() -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    for minute, is_passing in enumerate([True, False, True, True, False]):
        send_passing(user, is_passing=is_passing, minute=minute)
    assert award_times() == [(at(0), at(1)), (at(2), at(4))]
    assert all(award.recorded_at < timezone.now() for award in BadgeAward.objects.all())


def test_d2_the_file_of_a_backfill_says_the_date(tmp_path: Path, settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    requires_course(make_template())
    backfill(tmp_path, f"{HEADER}ada,,{COURSE},true,2023-05-01T10:00:00Z\nbob,,{COURSE},true,2023-05-01\n")
    dates = dict(BadgeAward.objects.values_list("progress__user__username", "awarded_at"))
    # A day alone is one where the site is.
    assert dates == {
        "ada": datetime(2023, 5, 1, 10, tzinfo=UTC),
        "bob": datetime(2023, 5, 1, 4, tzinfo=UTC),
    }


def test_d2_a_date_does_not_lie_ahead() -> None:
    requires_course(make_template())
    minutes_ahead = (timezone.now() - at(0)).total_seconds() / 60 + 5
    send_passing(make_user(), minute=minutes_ahead)
    assert BadgeAward.objects.get().awarded_at <= timezone.now()


@pytest.fixture
def chain(settings: Any) -> Iterator[tuple[Any, Any]]:
    """Two badges: a course earns the first, which earns the second. Failing the course loses both."""
    settings.BADGES_CONFIG = {"events": [PASSING, AWARDED_TYPE, REVOKED_TYPE]}
    handlers.disconnect()
    handlers.connect()
    first, second = make_template(name="First"), make_template(name="Second")
    penalizes_failing(first, requires_course(first))
    on_first = ("template.uuid", "eq", str(first.uuid))
    penalizes(second, [requires(second, on_first, event_type=AWARDED_TYPE)], on_first, event_type=REVOKED_TYPE)
    yield first, second
    settings.BADGES_CONFIG = {}
    handlers.disconnect()
    handlers.connect()


def hear(commit: Any, user: Any, minute: float, *, is_passing: bool = True) -> None:
    data = passing_data(user_data(user), is_passing=is_passing)
    with commit(execute=True):
        COURSE_PASSING_STATUS_UPDATED.send_event_with_custom_metadata(
            metadata(time=at(minute)), send_robust=False, course_passing_status=data
        )


def test_d2_a_badge_that_depends_on_another_bears_the_same_date(
    chain: tuple[Any, Any], django_capture_on_commit_callbacks: Any
) -> None:
    hear(django_capture_on_commit_callbacks, make_user(), 0)
    assert dict(BadgeAward.objects.values_list("progress__template__name", "awarded_at")) == {
        "First": at(0),
        "Second": at(0),
    }


@pytest.fixture
def public() -> Iterator[dict[str, list[datetime]]]:
    """The times of the public events of each badge, in the order in which they were sent."""
    heard: dict[str, list[datetime]] = defaultdict(list)

    def listen(metadata: EventsMetadata, badge: Any, **kwargs: Any) -> None:
        heard[badge.template.name].append(metadata.time)

    for signal in (BADGE_AWARDED, BADGE_REVOKED):
        signal.connect(listen)
    yield heard
    for signal in (BADGE_AWARDED, BADGE_REVOKED):
        signal.disconnect(listen)


class Clock:
    """The clock of the machine that does the work."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(at(60))
    monkeypatch.setattr(collector, "timezone", clock)
    return clock


Act = Callable[[Any, Any, float], None]


def fails(commit: Any, user: Any, minute: float) -> None:
    hear(commit, user, minute, is_passing=False)


def is_revoked_by_hand(commit: Any, user: Any, minute: float) -> None:
    with commit(execute=True):
        award = BadgeAward.objects.get(progress__template__name="First", revoked_at=None)
        assert api.revoke_award(award, reason="plagiarism")


@pytest.mark.parametrize("behind", [timedelta(), timedelta(milliseconds=50), timedelta(minutes=30)])
@pytest.mark.parametrize("lose", [fails, is_revoked_by_hand])
def test_d4_times_only_grow_and_what_depends_on_a_badge_goes_with_it(
    chain: tuple[Any, Any],
    public: dict[str, list[datetime]],
    clock: Clock,
    django_capture_on_commit_callbacks: Any,
    lose: Act,
    behind: timedelta,
) -> None:
    user = make_user()
    # The event is from a little ahead, so that the clocks of those who work decide.
    hear(django_capture_on_commit_callbacks, user, 61)
    assert BadgeAward.objects.filter(revoked_at=None).count() == 2
    clock.time -= behind
    lose(django_capture_on_commit_callbacks, user, 62)
    assert not BadgeAward.objects.filter(revoked_at=None).exists()
    hear(django_capture_on_commit_callbacks, user, 63, is_passing=False)
    hear(django_capture_on_commit_callbacks, user, 64)
    assert BadgeAward.objects.filter(revoked_at=None).count() == 2

    for name in ("First", "Second"):
        awards = BadgeAward.objects.filter(progress__template__name=name).order_by("number")
        times = [time for each in awards for time in (each.awarded_at, each.revoked_at) if time]
        assert times == public[name]
        assert len(times) == 3
        assert all(earlier < later for earlier, later in itertools.pairwise(times))


def test_d4_a_revocation_by_an_older_event_is_newer_than_the_award() -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    penalizes_failing(template, requires_course(template, OTHER), OTHER)
    send_passing(user, OTHER, minute=0)
    send_passing(user, COURSE, minute=9)
    send_passing(user, OTHER, minute=5, is_passing=False)
    send_passing(user, OTHER, minute=6)
    tick = timedelta(microseconds=1)
    assert award_times() == [(at(9), at(9) + tick), (at(9) + 2 * tick, None)]


def test_d4_of_two_events_of_the_same_instant_the_revocation_is_later() -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    send_passing(user, event_id=uuid.UUID(int=1))
    send_passing(user, event_id=uuid.UUID(int=2), is_passing=False)
    assert award_times() == [(at(0), at(0) + timedelta(microseconds=1))]


def test_d5_a_day_in_a_rule_begins_where_the_site_is(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    rule = compile_rule("start", "gte", "2026-01-31", ValueKind.DATETIME)
    midnight = datetime(2026, 1, 30, 15, tzinfo=UTC)
    assert rule.predicate(midnight)
    assert not rule.predicate(midnight - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2026-01-31", datetime(2026, 1, 30, 15, tzinfo=UTC)),
        ("2026-01-31T12:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00+09:00", datetime(2026, 1, 31, 3, tzinfo=UTC)),
    ],
)
def test_d5_a_day_on_the_command_line_begins_where_the_site_is(settings: Any, said: str, expected: datetime) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    assert time_argument(said) == expected


def test_d5_a_page_of_the_admin_has_one_time_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    requires_course(make_template())
    send_passing(make_user(), minute=16 * 60)
    page = text(staff("view_badgeaward").get(url("badgeaward", "change", BadgeAward.objects.get().pk)))
    # Both the date of the badge and that of the event.
    assert page.count("Jan. 2, 2026, 1 a.m.") == 2
    assert "2026-01-01T16" not in page
