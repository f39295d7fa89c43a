"""Awards by hand beside what staff corrected, and beside the calendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from badges_plugin import api
from badges_plugin.api import Ending
from badges_plugin.host import AWARDED
from badges_plugin.models import BadgeAward, BadgeProgress
from tests.clock import Clock
from tests.core.test_manual_awards import course_badge, endings, give, passes_and_fails, undo
from tests.factories import EPOCH, make_user, send_passing

pytestmark = pytest.mark.django_db
P, B, U = Ending.PENALTY, Ending.BY_HAND, Ending.UNDONE


def forget(user: Any) -> None:
    """The learner passes, and staff revoke the badge and let them begin anew."""
    send_passing(user, minute=1)
    api.revoke_award(BadgeAward.objects.get(), reason="Wrong course", forget=True)


def starts_again(user: Any) -> None:
    passes_and_fails(user)
    api.start_again(BadgeProgress.objects.get())


@pytest.mark.parametrize(("before", "ended_by"), [(forget, B), (starts_again, P)])
@pytest.mark.parametrize("times", [1, 2])
def test_what_is_given_and_undone_does_not_use_up_a_new_beginning(
    before: Callable[[Any], None], ended_by: str, times: int
) -> None:
    template, user = course_badge(can_be_reawarded=False), make_user()
    before(user)
    for _ in range(times):
        undo(give(template, user))
    later = (timezone.now() - EPOCH) / timedelta(minutes=1)
    send_passing(user, minute=later)
    assert endings(user) == [ended_by, *[U] * times, ""]
    # Once: the beginning counts for one award.
    send_passing(user, minute=later + 1, is_passing=False)
    undo(give(template, user))
    send_passing(user, minute=later + 2)
    assert endings(user) == [ended_by, *[U] * times, P, U]


@pytest.mark.parametrize("times", [1, 2])
def test_undoing_what_was_given_back_undoes_it_all(times: int) -> None:
    template, user = course_badge(can_be_reawarded=False), make_user()
    award = give(template, user)
    for _ in range(times):
        api.revoke_award(award, reason="A mistake")
        award = api.give_back(award)
    undo(award)
    send_passing(user, minute=1)
    assert endings(user) == [*[B] * times, U, ""]


@pytest.mark.parametrize("is_renewed", [True, False])
def test_who_had_it_until_today_is_given_it_anew(clock: Clock, is_renewed: bool) -> None:
    template, user = course_badge(valid_days=10, renewal_days=5), make_user()
    clock.move_to(0)
    give(template, user)
    if is_renewed:
        send_passing(user, minute=(clock.move_to(8) - EPOCH) / timedelta(minutes=1))
    clock.move_to(11)  # before anybody has ended it
    award = api.award_by_hand(template, user, reason="Again")
    assert (award is None) == is_renewed
    assert endings(user) == [Ending.EXPIRED, ""]
    held = BadgeAward.objects.get(revoked_at=None)
    assert (held.given is None, held.credential.status) == (is_renewed, AWARDED)
    assert held.expires_at is not None
    assert held.expires_at > clock()
