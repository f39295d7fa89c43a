"""Badges that expire: their end, their renewal, and how histories and late events agree with that."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badges_plugin import api
from badges_plugin.api import Ending
from badges_plugin.host import AWARDED, REVOKED
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeRequirement, BadgeTemplate
from badges_plugin.signals import badge_revoked
from tests.clock import Clock
from tests.core.conftest import Heard
from tests.factories import (
    COURSE,
    PASSING,
    make_template,
    make_user,
    metadata,
    passing_data,
    penalizes_failing,
    requires,
    requires_course,
    user_data,
)
from tests.meanwhile import meanwhile

pytestmark = pytest.mark.django_db
OTHER = "course-v1:Demo+Other+1"
YEAR, RENEWAL = 365, 30


def expiring(*courses: str, **changes: Any) -> BadgeTemplate:
    template = make_template(**{"valid_days": YEAR, "renewal_days": RENEWAL, **changes})
    for course in courses or (COURSE,):
        penalizes_failing(template, requires_course(template, course), course)
    return template


def passing(clock: Clock, user: Any, day: float, course: str = COURSE, *, is_passing: bool = True) -> api.BadgingEvent:
    described = passing_data(user_data(user), course, is_passing=is_passing)
    return api.read_event(PASSING, metadata(time=clock.day(day)), {"course_passing_status": described})


def passes(clock: Clock, user: Any, day: float, course: str = COURSE, *, is_passing: bool = True) -> None:
    """Make it that day, and let the event happen then."""
    clock.move_to(day)
    api.process_event(passing(clock, user, day, course, is_passing=is_passing))


def end_on(clock: Clock, day: float) -> bool:
    return api.end_expired(clock.move_to(day))


def terms(clock: Clock) -> list[tuple[float, float | None, str]]:
    """Return when each award began, when it ended, and how; in days."""
    return [
        (
            days(award.awarded_at - clock.start),
            days(award.revoked_at - clock.start) if award.revoked_at else None,
            award.ended_by,
        )
        for award in BadgeAward.objects.order_by("number")
    ]


def days(span: timedelta) -> float:
    return round(span / timedelta(days=1), 3)


def test_an_award_expires_so_many_days_after_its_date_whatever_the_template_says_later(clock: Clock) -> None:
    template, user = expiring(), make_user()
    passes(clock, user, 0)
    template.valid_days = 10
    template.renewal_days = 0
    template.save()
    award = BadgeAward.objects.get()
    assert award.expires_at == award.awarded_at + timedelta(days=YEAR)
    end_on(clock, YEAR - 1)
    assert terms(clock) == [(0, None, "")]


def test_without_a_term_nothing_expires(clock: Clock) -> None:
    expiring(valid_days=None, renewal_days=0)
    passes(clock, make_user(), 0)
    end_on(clock, 100 * YEAR)
    assert BadgeAward.objects.get().expires_at is None
    assert terms(clock) == [(0, None, "")]


@pytest.mark.parametrize(
    ("valid_days", "renewal_days", "refused"),
    [
        (None, 0, None),
        (30, 0, None),
        (30, None, None),  # an emptied field
        (30, 29, None),
        (30, 30, "The renewal must open after the award"),
        (None, 5, "has no renewal"),
        (0, 0, "greater than or equal to 1"),
        (100_001, 0, "less than or equal to 100000"),
    ],
)
def test_terms_that_cannot_work_are_refused(valid_days: int | None, renewal_days: Any, refused: str | None) -> None:
    template = make_template(is_active=False)
    template.valid_days, template.renewal_days = valid_days, renewal_days
    if refused is None:
        template.full_clean()
        assert template.renewal_days == (renewal_days or 0)
        return
    with pytest.raises(ValidationError, match=refused):
        template.full_clean()


@pytest.mark.parametrize(
    ("zone", "renewal_days", "day"),
    [
        ("UTC", 30, date(2027, 4, 3)),
        ("Pacific/Auckland", 30, date(2027, 4, 4)),  # where it is noon of the next day already
        ("UTC", 0, None),  # there is nothing that a learner could do before
    ],
)
def test_the_reminder_is_due_on_the_day_on_which_the_renewal_opens(
    settings: Any, zone: str, renewal_days: int, day: date | None
) -> None:
    settings.TIME_ZONE = zone
    progress = BadgeProgress(template=BadgeTemplate(valid_days=YEAR, renewal_days=renewal_days))
    assert BadgeAward(progress=progress, expires_at=datetime(2027, 5, 3, 23, tzinfo=UTC)).remind_on == day
    assert BadgeAward(progress=progress).remind_on is None


def test_at_its_end_a_badge_is_revoked_in_the_open_and_once(
    clock: Clock, heard: Heard, django_capture_on_commit_callbacks: Any
) -> None:
    expiring()
    with django_capture_on_commit_callbacks(execute=True):
        passes(clock, make_user(), 0)
        end_on(clock, YEAR - 0.01)
    assert not heard.revoked
    with django_capture_on_commit_callbacks(execute=True):
        end_on(clock, YEAR + 3)
        end_on(clock, YEAR + 4)
    award = BadgeAward.objects.get()
    assert (award.ended_by, award.revoked_at, award.credential.status) == (Ending.EXPIRED, award.expires_at, REVOKED)
    assert award.revocation_recorded_at == clock.day(YEAR + 3)
    assert heard.revoked == [award]
    assert heard.announcements == ["awarded", "revoked"]
    assert award.publish_due_at is None


def test_nothing_to_end_costs_one_query(clock: Clock) -> None:
    expiring()
    passes(clock, make_user(), 0)
    with CaptureQueriesContext(connection) as queries:
        assert end_on(clock, 1) is False
    assert len(queries) == 1


@pytest.mark.parametrize(
    ("second_pass", "expected"),
    [
        (YEAR - RENEWAL + 1, [(0, YEAR, "expired"), (YEAR, None, "")]),  # renewed before the end: no gap
        (YEAR - RENEWAL - 1, [(0, YEAR, "expired")]),  # before the renewal opened: it went into the first award
    ],
)
def test_renewal_before_the_end(clock: Clock, second_pass: float, expected: list[Any]) -> None:
    expiring()
    user = make_user()
    passes(clock, user, 0)
    passes(clock, user, second_pass)
    assert terms(clock) == [(0, None, "")]
    end_on(clock, YEAR + 1)
    assert terms(clock) == expected
    statuses = {award.credential.status for award in BadgeAward.objects.select_related("credential")}
    assert statuses == {AWARDED if len(expected) == 2 else REVOKED}


@pytest.mark.parametrize("can_be_reawarded", [True, False])
def test_renewal_after_the_end_is_always_possible(clock: Clock, can_be_reawarded: bool) -> None:
    expiring(COURSE, OTHER, can_be_reawarded=can_be_reawarded)
    user = make_user()
    passes(clock, user, 0)
    passes(clock, user, 1, OTHER)
    passes(clock, user, YEAR - 5)
    end_on(clock, YEAR + 2)
    passes(clock, user, YEAR + 10)
    assert terms(clock) == [(1, YEAR + 1, "expired")]  # the other course was passed for the first award only
    passes(clock, user, YEAR + 20, OTHER)
    assert terms(clock) == [(1, YEAR + 1, "expired"), (YEAR + 20, None, "")]
    assert BadgeAward.objects.latest("number").expires_at == clock.day(2 * YEAR + 20)
    events = BadgeAward.objects.latest("number").events
    assert [event["time"] for event in events] == [clock.day(day).isoformat() for day in (YEAR + 10, YEAR + 20)]


def test_what_was_counted_for_an_expired_award_is_not_counted_again(clock: Clock) -> None:
    template = make_template(valid_days=YEAR, renewal_days=RENEWAL)
    any_two = requires(template, ("is_passing", "eq", "true"))
    any_two.count, any_two.counted_by = 2, "course.course_key"
    any_two.save()
    user = make_user()
    passes(clock, user, 0)
    passes(clock, user, 1, OTHER)
    passes(clock, user, YEAR - 5, OTHER)
    end_on(clock, YEAR + 2)
    assert terms(clock) == [(1, YEAR + 1, "expired")]
    passes(clock, user, YEAR + 10, "course-v1:Demo+Third+1")
    assert terms(clock) == [(1, YEAR + 1, "expired"), (YEAR + 10, None, "")]
    times = [event["time"] for event in BadgeAward.objects.latest("number").events]
    assert times == [clock.day(day).isoformat() for day in (YEAR - 5, YEAR + 10)]


def test_the_event_of_an_expired_award_does_not_award_again_when_it_comes_again(clock: Clock) -> None:
    expiring()
    user = make_user()
    event = passing(clock, user, 0)
    api.process_event(event)
    end_on(clock, YEAR + 1)
    assert api.process_event(event) is api.Outcome.REPEATED
    api.process_event(passing(clock, user, 1))
    assert terms(clock) == [(0, YEAR, "expired")]


@pytest.mark.parametrize("noticed_on", [YEAR + 1, None])
def test_a_penalty_after_the_end_takes_nothing(clock: Clock, noticed_on: float | None) -> None:
    """Also where the penalty is there before any worker has noticed the end."""
    expiring()
    user = make_user()
    passes(clock, user, 0)
    if noticed_on is not None:
        end_on(clock, noticed_on)
    passes(clock, user, YEAR + 2, is_passing=False)
    end_on(clock, YEAR + 3)
    assert terms(clock) == [(0, YEAR, "expired")]


def test_a_penalty_before_the_end_is_what_ends_it(clock: Clock) -> None:
    expiring()
    user = make_user()
    passes(clock, user, 0)
    passes(clock, user, 100, is_passing=False)
    end_on(clock, YEAR + 1)
    assert terms(clock) == [(0, 100, "penalty")]


def test_what_staff_revoked_stays_so_when_its_date_passes(clock: Clock) -> None:
    expiring()
    user = make_user()
    passes(clock, user, 0)
    clock.move_to(10)
    api.revoke_award(BadgeAward.objects.get(), reason="Copied.")
    passes(clock, user, YEAR - 5)
    end_on(clock, YEAR + 1)
    assert terms(clock) == [(0, 10, "by_hand")]


@pytest.mark.parametrize(
    ("events", "today", "expected", "in_any_order"),
    [
        # Days on which the course was passed, and what follows if all of it is heard of only today.
        ([0], YEAR - 1, [(0, None, "")], True),
        ([0], YEAR + 1, [], True),
        ([0, YEAR - 5], YEAR + 1, [(YEAR - 5, None, "")], True),
        ([0, YEAR - 5], 3 * YEAR, [], True),
        # It would have been awarded on day 0, and not been renewed. Who hears of day 200 first awards it for that day,
        # and what was awarded stays.
        ([0, 200], YEAR + 1, [], False),
        ([0, 200, YEAR + 10], YEAR + 20, [(YEAR + 10, None, "")], False),
    ],
)
def test_nobody_gets_a_badge_that_is_born_expired(
    clock: Clock, events: list[float], today: float, expected: list[Any], in_any_order: bool
) -> None:
    """In one history, one by one as it was, and in whatever order unless that puts off the date of the badge."""
    expiring()
    clock.move_to(today)
    user = make_user()
    api.process_history([passing(clock, user, day) for day in events])
    assert terms(clock) == expected
    for order in permutations(events) if in_any_order else [events]:
        BadgeAward.objects.all().delete()
        BadgeProgress.objects.all().delete()
        for day in order:
            api.process_event(passing(clock, user, day))
        api.end_expired(clock())
        assert terms(clock) == expected, order


def test_an_award_that_nobody_made_costs_what_a_repeated_event_costs(clock: Clock) -> None:
    expiring()
    clock.move_to(YEAR + 1)
    event = passing(clock, make_user(), 0)
    api.process_event(event)
    assert not BadgeAward.objects.exists()
    with CaptureQueriesContext(connection) as queries:
        assert api.process_event(event) is api.Outcome.REPEATED
    assert len(queries) <= 3


def test_a_learner_who_was_retired_loses_the_badge_in_silence_and_renews_nothing(
    clock: Clock, heard: Heard, django_capture_on_commit_callbacks: Any
) -> None:
    expiring()
    user = make_user()
    passes(clock, user, 0)
    passes(clock, user, YEAR - 1)
    user.username = "retired__user_1"
    user.save()
    heard.public.clear()
    with django_capture_on_commit_callbacks(execute=True):
        end_on(clock, YEAR + 1)
    assert terms(clock) == [(0, YEAR, "expired")]
    assert heard.public == []
    assert BadgeAward.objects.get().publish_due_at is None


def test_an_inactive_template_renews_nothing(clock: Clock) -> None:
    template, user = expiring(), make_user()
    passes(clock, user, 0)
    passes(clock, user, YEAR - 1)
    api.deactivate_template(template)
    end_on(clock, YEAR + 1)
    assert terms(clock) == [(0, YEAR, "expired")]


def test_who_renewed_while_the_template_was_inactive_is_awarded_by_a_replay(clock: Clock) -> None:
    template, user = expiring(), make_user()
    passes(clock, user, 0)
    clock.move_to(YEAR - 1)
    again = passing(clock, user, YEAR - 1)
    api.process_event(again)
    api.deactivate_template(template)
    end_on(clock, YEAR + 1)
    api.activate_template(template)
    assert api.process_event(again) is api.Outcome.APPLIED
    assert terms(clock) == [(0, YEAR, "expired"), (YEAR, None, "")]
    assert api.process_event(again) is api.Outcome.REPEATED


def test_they_are_ended_in_batches_and_one_that_cannot_be_does_not_keep_the_others(clock: Clock) -> None:
    expiring()
    users = [make_user() for _ in range(5)]
    for user in users:
        passes(clock, user, 0)

    def refuse(award: BadgeAward, **kwargs: Any) -> None:
        if award.user == users[0]:
            raise RuntimeError("broken backend")

    badge_revoked.connect(refuse)
    try:
        assert api.end_expired(clock.move_to(YEAR + 1), limit=2) is True
        assert BadgeAward.objects.filter(ended_by=Ending.EXPIRED).count() == 2
        assert api.end_expired(clock(), limit=2) is True
        assert api.end_expired(clock(), limit=2) is False
    finally:
        badge_revoked.disconnect(refuse)
    assert list(BadgeAward.objects.filter(revoked_at=None).values_list("progress__user", flat=True)) == [users[0].pk]
    end_on(clock, YEAR + 1)
    assert BadgeAward.objects.filter(ended_by=Ending.EXPIRED).count() == 5


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_end_it_once(clock: Clock, heard: Heard) -> None:
    expiring()
    user = make_user()
    passes(clock, user, 0)
    passes(clock, user, YEAR - 1)
    clock.move_to(YEAR + 1)
    with meanwhile(
        lambda: api.end_expired(clock()), before=lambda sql: "FOR UPDATE" in sql or "FOR NO KEY" in sql
    ) as other:
        api.end_expired(clock())
        other()
    assert terms(clock) == [(0, YEAR, "expired"), (YEAR, None, "")]
    assert len(heard.revoked) == 1


def test_only_a_decision_revokes_by_hand(clock: Clock) -> None:
    expiring()
    passes(clock, make_user(), 0)
    award = BadgeAward.objects.get()
    with pytest.raises(ValueError, match="no decision"):
        api.revoke_award(award, reason="", ended_by=Ending.EXPIRED)
    assert api.revoke_award(award, reason="Withdrawn at Credly.", ended_by=Ending.PROVIDER)
    assert award.ended_by == Ending.PROVIDER


def test_a_needed_badge_that_is_still_held_counts_toward_the_renewal(clock: Clock) -> None:
    needed, template, user = make_template(), expiring(OTHER), make_user()
    requires_course(needed, COURSE)
    BadgeRequirement.objects.create(template=template, needs_badge=needed)
    passes(clock, user, 0)
    passes(clock, user, 1, OTHER)
    end_on(clock, 1 + YEAR)
    assert [award.ended_by for award in template_awards(template)] == [Ending.EXPIRED]
    passes(clock, user, 10 + YEAR, OTHER)
    assert [award.ended_by for award in template_awards(template)] == [Ending.EXPIRED, ""]


def test_a_badge_for_a_badge_is_renewed_as_long_as_that_is_held(
    clock: Clock, django_capture_on_commit_callbacks: Any
) -> None:
    needed, user = make_template(), make_user()
    penalizes_failing(needed, requires_course(needed, COURSE), COURSE)
    template = make_template(valid_days=YEAR, renewal_days=RENEWAL)
    BadgeRequirement.objects.create(template=template, needs_badge=needed)
    with django_capture_on_commit_callbacks(execute=True):
        passes(clock, user, 0)
    end_on(clock, YEAR)
    assert [award.ended_by for award in template_awards(template)] == [Ending.EXPIRED, ""]
    with django_capture_on_commit_callbacks(execute=True):
        passes(clock, user, YEAR + 1, is_passing=False)
    assert [award.ended_by for award in template_awards(template)] == [Ending.EXPIRED, Ending.PENALTY]


@pytest.mark.parametrize("renewed_on", [YEAR - 1, YEAR + 5])
def test_badges_that_end_together_are_renewed_together(
    clock: Clock, django_capture_on_commit_callbacks: Any, renewed_on: float
) -> None:
    """The one that needs the other is not awarded for what is no longer held, nor lost for good by that."""
    needed, template, user = expiring(), expiring(OTHER, can_be_reawarded=False), make_user()
    BadgeRequirement.objects.create(template=template, needs_badge=needed)
    template.requirements.filter(needs_badge=None).delete()
    for day in sorted([0, YEAR + 1, renewed_on]):
        with django_capture_on_commit_callbacks(execute=True):
            end_on(clock, day) if day == YEAR + 1 else passes(clock, user, day)
    for each in (needed, template):
        assert [award.ended_by for award in template_awards(each)] == [Ending.EXPIRED, ""]


def test_a_renewal_that_was_stored_unchecked_keeps_no_event_for_ever(
    clock: Clock, django_capture_on_commit_callbacks: Any
) -> None:
    needed, user = make_template(), make_user()
    requires_course(needed, COURSE)
    template = make_template(valid_days=10, renewal_days=10)
    BadgeRequirement.objects.create(template=template, needs_badge=needed)
    clock.move_to(20)
    with django_capture_on_commit_callbacks(execute=True):
        api.process_event(passing(clock, user, 0))
    (award,) = template_awards(template)
    assert award.expires_at is not None
    assert award.expires_at > clock()


def template_awards(template: BadgeTemplate) -> list[BadgeAward]:
    return list(BadgeAward.objects.filter(progress__template=template).order_by("number"))
