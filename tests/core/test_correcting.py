"""What staff correct: revoke and keep or forget, give back, start again. Nothing that a learner did is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from badges_plugin import api
from badges_plugin.api import Ending
from badges_plugin.exceptions import AwardRefused
from badges_plugin.host import AWARDED, REVOKED, User
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, Correction, Fulfillment
from tests.clock import Clock
from tests.core.conftest import Heard
from tests.factories import (
    COURSE,
    EPOCH,
    make_template,
    make_user,
    needs_badge,
    penalizes_failing,
    requires_course,
    send_passing,
)

pytestmark = pytest.mark.django_db
OTHER = "course-v1:Demo+Other+1"


@pytest.fixture(autouse=True)
def _ticking(clock: Clock) -> None:
    """Tests say on which day something happens."""


@pytest.fixture
def staff() -> User:
    return make_user(username="okafor", full_name="J. Okafor")


def badge(*courses: str, **changes: Any) -> BadgeTemplate:
    template = make_template(**changes)
    for course in courses or (COURSE,):
        penalizes_failing(template, requires_course(template, course), course)
    return template


def on_day(clock: Clock, day: float, user: Any, course: str = COURSE, **options: Any) -> api.Outcome:
    """Let a learner pass, or fail, on a day, and hear of it at once."""
    return send_passing(user, course, minute=(clock.move_to(day) - EPOCH) / timedelta(minutes=1), **options)


def last(user: Any) -> BadgeAward:
    return BadgeAward.objects.filter(progress__user=user).order_by("-number")[0]


def numbers(user: Any) -> list[tuple[int, bool]]:
    """Return the numbers of the awards of a learner, and whether each is held."""
    rows = BadgeAward.objects.filter(progress__user=user).order_by("number")
    return [(row.number, row.revoked_at is None) for row in rows]


def awarded(clock: Clock, *courses: str, **changes: Any) -> Any:
    """Return a learner who was awarded a badge on day 1."""
    user = make_user()
    badge(*courses, **changes)
    for course in courses or (COURSE,):
        on_day(clock, 1, user, course)
    assert numbers(user) == [(1, True)]
    return user


def revoke(clock: Clock, user: Any, day: float = 2, **options: Any) -> BadgeAward:
    clock.move_to(day)
    award = last(user)
    assert api.revoke_award(award, **{"reason": "Wrong course", **options})
    return award


@pytest.mark.parametrize(
    ("can_be_reawarded", "forget", "is_awarded_again"),
    [
        (True, False, False),
        (False, False, False),
        (True, True, True),
        # Staff decide about this learner; the setting is about all of them.
        (False, True, True),
    ],
)
def test_a_new_pass_brings_the_badge_back_only_if_the_progress_was_forgotten(
    clock: Clock, can_be_reawarded: bool, forget: bool, is_awarded_again: bool
) -> None:
    user = awarded(clock, can_be_reawarded=can_be_reawarded)
    revoke(clock, user, forget=forget)
    on_day(clock, 3, user)
    assert last(user).revoked_at is None if is_awarded_again else numbers(user) == [(1, False)]


def test_what_was_forgotten_does_not_count_however_often_it_is_told(clock: Clock) -> None:
    user = awarded(clock, COURSE, OTHER)
    revoke(clock, user, forget=True)
    assert Fulfillment.objects.count() == 2  # nothing is deleted
    on_day(clock, 3, user)
    on_day(clock, 1, user, OTHER)
    assert numbers(user) == [(1, False)]
    on_day(clock, 4, user, OTHER)
    assert numbers(user) == [(1, False), (2, True)]
    assert [event["time"] for event in last(user).events] == [clock.day(3).isoformat(), clock.day(4).isoformat()]


def test_only_a_revocation_that_forgets_helps_twice(clock: Clock) -> None:
    user = awarded(clock, can_be_reawarded=False)
    revoke(clock, user, forget=True)
    on_day(clock, 3, user)
    on_day(clock, 4, user, is_passing=False)
    on_day(clock, 5, user)
    assert numbers(user) == [(1, False), (2, False)]


def test_a_wrong_rule_is_corrected_and_the_right_learner_is_awarded(clock: Clock) -> None:
    """The trap: rule corrected, badge revoked; then the learner really passes, and gets nothing."""
    template, user = make_template(), make_user()
    requirement = requires_course(template, OTHER)
    on_day(clock, 1, user, OTHER)
    requirement.rules.filter(key_path="course.course_key").update(value=COURSE)
    api.forget_fulfillments(requirement)
    revoke(clock, user, forget=True)
    on_day(clock, 3, user)
    assert numbers(user) == [(1, False), (2, True)]


def test_starting_again_lets_a_badge_be_earned_that_stays_revoked(clock: Clock, staff: User) -> None:
    user = awarded(clock, COURSE, OTHER)
    progress = last(user).progress
    assert api.start_again(progress, by=staff) is False
    revoke(clock, user)
    clock.move_to(3)
    assert api.start_again(progress, reason="Second chance", by=staff)
    on_day(clock, 4, user)
    assert numbers(user) == [(1, False)]
    on_day(clock, 5, user, OTHER)
    assert numbers(user) == [(1, False), (2, True)]


def test_starting_again_on_the_way(clock: Clock, staff: User) -> None:
    user = make_user()
    badge(COURSE, OTHER)
    on_day(clock, 1, user)
    clock.move_to(2)
    assert api.start_again(BadgeProgress.objects.get(), by=staff)
    on_day(clock, 3, user, OTHER)
    assert numbers(user) == []
    on_day(clock, 4, user)
    assert numbers(user) == [(1, True)]


@pytest.mark.parametrize("forget", [False, True])
def test_what_was_revoked_by_mistake_is_given_back_as_it_was(
    clock: Clock, heard: Heard, staff: User, forget: bool
) -> None:
    user = awarded(clock, valid_days=100)
    before = revoke(clock, user, forget=forget, by=staff)
    clock.move_to(3)
    if forget:  # twice forgotten is given back, too
        api.start_again(before.progress, by=staff)
    given = api.give_back(before, reason="My mistake", by=staff)

    assert (given.number, given.awarded_at) == (2, clock.day(3))
    assert (given.events, given.expires_at) == (before.events, before.expires_at)
    assert given.credential_id == before.credential_id
    given.credential.refresh_from_db()
    assert given.credential.status == AWARDED
    assert [award.number for award in heard.awarded] == [1, 2]
    # What was done for it counts again, so that losing it loses the badge.
    on_day(clock, 4, user, is_passing=False)
    assert [award.number for award in heard.revoked] == [1, 2]
    given.credential.refresh_from_db()
    assert given.credential.status == REVOKED


def test_badges_that_need_it_come_back_as_well(clock: Clock) -> None:
    user = awarded(clock)
    other = make_template(name="Both")
    needs_badge(other, last(user).template)
    with_events(clock, user)
    award = revoke(clock, user, 2)
    with_events(clock, user)
    clock.move_to(3)
    given = api.give_back(award)
    assert given.awarded_at > award.revoked_at  # type: ignore[operator]


def with_events(clock: Clock, user: Any) -> None:
    """Tell what happened to badges, as the outbox does after the commit."""
    for event in api.badge_events(user, list(BadgeTemplate.objects.values_list("pk", flat=True))):
        api.process_event(event)


def test_a_badge_that_was_given_by_hand_comes_back_as_one(clock: Clock, staff: User) -> None:
    user, template = make_user(), badge(is_given_by_staff=True)
    clock.move_to(1)
    api.award_by_hand(template, user, reason="Spring school", given_by=staff)
    given = api.give_back(revoke(clock, user))
    assert (given.events, given.by_hand.given_by, given.by_hand.reason) == ([], staff, "Spring school")


def _expire(clock: Clock, user: Any) -> None:
    clock.move_to(200)
    api.end_expired(clock())


def _revoke_and_earn_again(clock: Clock, user: Any) -> None:
    revoke(clock, user, forget=True)
    on_day(clock, 3, user)


def _revoke_and_wait(clock: Clock, user: Any) -> None:
    revoke(clock, user)
    clock.move_to(200)


def _revoke_and_retire(clock: Clock, user: Any) -> None:
    revoke(clock, user)
    user.username = "retired__user_1"
    user.save()


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (lambda *_: None, "The learner has this badge."),
        (_expire, "The badge expired. It can be earned again."),
        (_revoke_and_earn_again, "The learner has been awarded this badge again since."),
        (_revoke_and_wait, "The badge would have expired on "),
        (_revoke_and_retire, "The account of this learner was deleted or retired."),
    ],
)
def test_what_cannot_be_given_back(clock: Clock, happens: Callable[[Clock, Any], None], why: str) -> None:
    user = awarded(clock, valid_days=100)
    happens(clock, user)
    before = numbers(user)
    with pytest.raises(AwardRefused, match=why):
        api.give_back(BadgeAward.objects.get(progress__user=user, number=1))
    assert numbers(user) == before


@pytest.mark.parametrize(
    ("ended_by", "can_return"), [(Ending.BY_HAND, True), (Ending.PROVIDER, True), (Ending.PENALTY, True)]
)
def test_what_was_lost_otherwise_can_be_given_back(clock: Clock, ended_by: Ending, can_return: bool) -> None:
    user = awarded(clock)
    if ended_by is Ending.PENALTY:
        on_day(clock, 2, user, is_passing=False)
    else:
        revoke(clock, user, ended_by=ended_by)
    api.give_back(last(user))
    assert numbers(user) == [(1, False), (2, True)]


def test_every_correction_is_kept_with_who_and_why(clock: Clock, staff: User) -> None:
    user = awarded(clock)
    award = revoke(clock, user, forget=True, by=staff)
    given = api.give_back(award, reason="My mistake", by=staff)
    revoke(clock, user, 3, ended_by=Ending.PROVIDER)
    api.start_again(given.progress, reason="Second chance", by=staff)

    rows = list(Correction.objects.order_by("pk"))
    assert [(row.kind, row.award_id, row.forgot, row.by, row.why) for row in rows] == [
        ("revoked", award.pk, True, staff, "Wrong course"),
        ("given_back", given.pk, False, staff, "My mistake"),
        # What a provider does is no correction.
        ("started_again", None, True, staff, "Second chance"),
    ]
    staff.delete()
    assert set(Correction.objects.values_list("by", flat=True)) == {None}


def test_what_staff_wrote_goes_with_a_retired_learner(clock: Clock, staff: User) -> None:
    user = awarded(clock)
    api.give_back(revoke(clock, user), reason="Ada Lovelace is right", by=staff)
    user.username = "retired__user_1"
    user.save()
    api.sweep_retired()
    assert [row.why for row in Correction.objects.select_related("award").order_by("pk")] == ["", ""]
