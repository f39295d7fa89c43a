"""Awards by hand: on the path of all awards, beside what learners earn, and undone as if they had never been."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.utils import timezone

from badges_plugin import api, reading
from badges_plugin.api import Ending
from badges_plugin.host import AWARDED, REVOKED
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, Learner, ManualAward
from tests.clock import Clock
from tests.core.conftest import Commit, Heard
from tests.factories import (
    make_template,
    make_user,
    needs_badge,
    penalizes_failing,
    requires,
    requires_course,
    send_passing,
)

pytestmark = pytest.mark.django_db
OTHER = "course-v1:Demo+Other+1"


def course_badge(*courses: str, **changes: Any) -> BadgeTemplate:
    template = make_template(**changes)
    for course in courses or ("course-v1:Demo+Badges+1",):
        penalizes_failing(template, requires_course(template, course), course)
    return template


def only_given(**changes: Any) -> BadgeTemplate:
    return make_template(is_given_by_staff=True, **changes)


def endings(user: Any) -> list[str]:
    """Return how the awards of a learner ended, oldest first; empty for one that is held."""
    return list(BadgeAward.objects.filter(progress__user=user).order_by("number").values_list("ended_by", flat=True))


def give(template: BadgeTemplate, user: Any, **changes: Any) -> BadgeAward:
    award = api.award_by_hand(template, user, **{"reason": "Spring school", **changes})
    assert award is not None
    return award


def undo(award: BadgeAward) -> bool:
    return api.undo_award_by_hand(award, reason="Wrong list")


def test_a_badge_that_is_given_is_an_award_like_any_other(heard: Heard, commit: Commit) -> None:
    template, user, staff = only_given(), make_user(), make_user()
    with commit():
        award = give(template, user, given_by=staff)
    award.refresh_from_db()
    assert (award.number, award.events, award.revoked_at, award.credential.status) == (1, [], None, AWARDED)
    assert (heard.awarded, heard.announcements) == ([award], ["awarded"])
    assert award.given is not None
    assert (award.given.given_by, award.given.reason) == (staff, "Spring school")
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (staff, str(award.pk))
    assert entry.get_change_message() == "Given by hand: Spring school"
    assert Learner.objects.filter(user=user).exists()  # or nobody would erase what is kept of them


def test_giving_what_somebody_has_changes_nothing(heard: Heard) -> None:
    template, user, earner = course_badge(), make_user(), make_user()
    give(template, user)
    send_passing(earner)
    for each in (user, earner):
        assert api.award_by_hand(template, each, reason="Again") is None
    assert (BadgeAward.objects.count(), ManualAward.objects.count(), len(heard.awarded)) == (2, 1, 2)


def test_what_the_holder_does_afterwards_awards_nothing_and_takes_nothing_away() -> None:
    template, user = course_badge("course-v1:Demo+Badges+1", OTHER), make_user()
    give(template, user)
    send_passing(user, minute=1)
    send_passing(user, is_passing=False, minute=2)  # lost, as half of the badge was
    send_passing(user, OTHER, minute=3)
    send_passing(user, minute=4)
    send_passing(user, is_passing=False, minute=5)  # lost, as all of it was
    assert endings(user) == [""]


def test_an_earned_badge_is_taken_away_as_ever_and_may_be_given_back_by_hand() -> None:
    template, user = course_badge(can_be_reawarded=False), make_user()
    send_passing(user, minute=1)
    send_passing(user, is_passing=False, minute=2)
    award = give(template, user)
    assert (award.number, award.credential.status, endings(user)) == (2, AWARDED, [Ending.PENALTY, ""])


def test_badges_that_need_one_hear_that_it_was_given_and_undone(commit: Commit) -> None:
    given, user = only_given(), make_user()
    needing = make_template()
    needs_badge(needing, given)
    with commit():
        award = give(given, user)
    earned = BadgeAward.objects.get(progress__template=needing)
    with commit():
        assert undo(award)
    earned.refresh_from_db()
    assert (earned.events[0]["type"], earned.ended_by) == ("org.openedx.learning.badge.awarded.v1", Ending.PENALTY)


def test_one_that_is_given_expires_and_is_renewed_by_nothing_but_deeds(clock: Clock) -> None:
    mere, course, user = only_given(valid_days=10), course_badge(valid_days=10), make_user()
    clock.move_to(0)
    awards = [give(template, user) for template in (mere, course)]
    assert {award.expires_at for award in awards} == {clock.day(10)}
    api.end_expired(clock.move_to(11))
    assert endings(user) == [Ending.EXPIRED, Ending.EXPIRED]


@pytest.mark.parametrize(
    ("changes", "day", "why"),
    [
        ({"is_active": False}, 0, "is not active"),
        ({}, 1, "in the future"),
        ({"valid_days": 10}, -10, "would have expired"),
    ],
)
def test_what_cannot_be_given(changes: dict[str, Any], day: int, why: str) -> None:
    template, user = only_given(**changes), make_user()
    with pytest.raises(api.AwardRefused, match=why):
        give(template, user, awarded_at=timezone.now() + timedelta(days=day))
    assert not BadgeProgress.objects.exists()


@pytest.mark.parametrize("is_deleted", [True, False])
def test_nobody_gives_to_those_who_are_gone(is_deleted: bool) -> None:
    template, user = only_given(), make_user(email="" if is_deleted else "retired__user_1@retired.invalid")
    if is_deleted:
        type(user).objects.filter(pk=user.pk).delete()
    with pytest.raises(api.AwardRefused, match="deleted or retired"):
        give(template, user)
    assert not BadgeAward.objects.exists()
    assert not Learner.objects.exists()


def test_the_date_of_a_badge_is_the_day_it_is_given_for_but_never_before_the_one_before_ended() -> None:
    template, user = only_given(), make_user()
    day = timezone.now() - timedelta(days=30)
    first = give(template, user, awarded_at=day)
    assert first.awarded_at == day
    api.revoke_award(first, reason="")
    assert give(template, user, awarded_at=day).awarded_at > first.revoked_at  # type: ignore[operator]


def nothing(user: Any) -> None:
    """The learner does nothing."""


def passes(user: Any) -> None:
    send_passing(user, minute=1)


def passes_and_fails(user: Any) -> None:
    send_passing(user, minute=1)
    send_passing(user, minute=2, is_passing=False)


def passes_and_is_revoked(user: Any) -> None:
    send_passing(user, minute=1)
    api.revoke_award(BadgeAward.objects.get(), reason="Cheated")


def was_undone_before(user: Any) -> None:
    undo(give(BadgeTemplate.objects.get(), user))


def passes_again(user: Any) -> None:
    send_passing(user, minute=3)


def fails_and_passes(user: Any) -> None:
    send_passing(user, minute=3, is_passing=False)
    send_passing(user, minute=4)


P, B, U = Ending.PENALTY, Ending.BY_HAND, Ending.UNDONE


@pytest.mark.parametrize("can_be_reawarded", [True, False])
@pytest.mark.parametrize(
    ("before", "meanwhile", "later", "once", "again"),
    [
        # The learner can earn it as if it had never been given, even a badge that is earned only once.
        (nothing, nothing, passes, [U, ""], [U, ""]),
        (was_undone_before, nothing, passes, [U, U, ""], [U, U, ""]),
        # Who has earned it meanwhile has it, at once.
        (nothing, passes, nothing, [U, ""], [U, ""]),
        (nothing, passes, fails_and_passes, [U, P], [U, P, ""]),
        # What was lost before, and earned again meanwhile, is as the badge says.
        (passes_and_fails, passes_again, nothing, [P, U], [P, U, ""]),
        (passes_and_fails, nothing, passes_again, [P, U], [P, U, ""]),
        # What staff revoked before stays revoked while the learner merely goes on passing.
        (passes_and_is_revoked, nothing, passes_again, [B, U], [B, U]),
        (passes_and_is_revoked, nothing, fails_and_passes, [B, U], [B, U, ""]),
    ],
)
def test_undone_is_as_if_it_had_never_been(
    before: Callable[[Any], None],
    meanwhile: Callable[[Any], None],
    later: Callable[[Any], None],
    once: list[str],
    again: list[str],
    can_be_reawarded: bool,
) -> None:
    template, user = course_badge(can_be_reawarded=can_be_reawarded), make_user()
    before(user)
    award = give(template, user)
    meanwhile(user)
    assert undo(award)
    later(user)
    assert endings(user) == (again if can_be_reawarded else once)
    last = BadgeAward.objects.order_by("number").last()
    assert last is not None
    assert last.credential.status == (REVOKED if last.ended_by else AWARDED)


def test_undoing_says_why_and_happens_once(heard: Heard) -> None:
    template, user, staff = only_given(), make_user(), make_user()
    award = give(template, user)
    assert api.undo_award_by_hand(award, reason="Wrong list", undone_by=staff)
    assert not api.undo_award_by_hand(award, reason="Again", undone_by=staff)
    award.refresh_from_db()
    assert (award.ended_by, award.reason, len(heard.revoked)) == (Ending.UNDONE, "Wrong list", 1)
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Award by hand undone: Wrong list"]


def test_what_was_earned_cannot_be_undone() -> None:
    course_badge()
    user = make_user()
    send_passing(user)
    assert not undo(BadgeAward.objects.get())
    assert endings(user) == [""]


def test_erasure_reaches_the_reasons_and_the_history() -> None:
    template, user, staff = only_given(), make_user(), make_user()
    award = give(template, user, given_by=staff, reason="Lea asked for it")
    undo(award)
    type(user).objects.filter(pk=user.pk).update(username="retired__user_1", email="retired__user_1@retired.invalid")
    assert api.sweep_retired() == 1
    award = BadgeAward.objects.get()
    assert (award.given and award.given.reason, award.revocation_reason) == ("", "")
    assert {entry.change_message for entry in LogEntry.objects.all()} == {""}


def test_a_badge_that_staff_give_can_be_active_without_requirements() -> None:
    template = make_template(is_active=False)
    with pytest.raises(ValidationError, match="without requirements"):
        BadgeTemplate(name="x", site=template.site, is_active=True).clean()
    assert api.activation_problems(template) == ["The badge template has no requirements."]
    template.is_given_by_staff = True
    template.save()
    api.activate_template(template)
    template.clean()
    requires(template).delete()
    template.refresh_from_db()
    assert template.is_active  # nobody earns it, and staff still give it


def test_what_is_read_of_an_award_says_who_gave_it_and_why() -> None:
    template, user, staff = only_given(), make_user(), make_user(full_name="Joy Okafor")
    give(template, user, given_by=staff)
    ((award,),) = reading.awards_of_learners([user.pk]).values()
    assert award.by_hand == reading.ByHand(staff.pk, "Joy Okafor", "Spring school", None)
    type(staff).objects.filter(pk=staff.pk).delete()
    ((award,),) = reading.awards_of_learners([user.pk]).values()
    assert award.by_hand == reading.ByHand(None, "", "Spring school", None)
    assert reading.criteria([template.pk])[template.pk].steps == ("Awarded by staff",)
