"""Lists of awards by hand of which a part fails, or comes to nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from badges_plugin import api
from badges_plugin.models import BadgeAward, Learner, ManualAwardLine, ManualAwardList
from badges_plugin.processing import manual_lists
from badges_plugin.signals import badges_revoked
from tests.core.test_manual_lists import make_list, outcomes, refuse, work
from tests.factories import make_user
from tests.limits import Lower

pytestmark = pytest.mark.django_db
Outcome, State = ManualAwardLine.Outcome, ManualAwardList.State


@pytest.fixture(autouse=True)
def _short_steps(lower: Lower) -> None:
    lower(manual_lists, AT_ONCE=2)


def test_what_cannot_be_undone_stays_given_and_is_undone_later() -> None:
    award_list = make_list(*(make_user() for _ in range(5)))
    api.start_giving(award_list)
    work(award_list)
    bad = [line.user for line in award_list.lines.filter(number__lte=3)]
    api.start_undoing(award_list, by=None, reason="")
    receivers = [refuse(each, badges_revoked) for each in bad]
    try:
        work(award_list)
    finally:
        for receiver in receivers:
            badges_revoked.disconnect(receiver)
    assert outcomes(award_list) == [Outcome.GIVEN] * 3 + [Outcome.UNDONE] * 2
    assert {award.user for award in BadgeAward.objects.filter(revoked_at=None)} == set(bad)
    assert award_list.state == State.GIVEN
    assert api.start_undoing(award_list, by=None, reason="")
    work(award_list)
    assert (outcomes(award_list), award_list.state) == ([Outcome.UNDONE] * 5, State.UNDONE)


def test_a_failure_says_nothing_of_a_line_that_another_process_has_done() -> None:
    award_list = make_list(make_user())
    api.start_giving(award_list)
    stale = list(award_list.lines.all())

    def done_by_another(*args: Any) -> None:
        award_list.lines.update(outcome=Outcome.GIVEN)
        raise ValueError("no")

    manual_lists._do(done_by_another, award_list, stale)
    assert outcomes(award_list) == [Outcome.GIVEN]


@pytest.mark.parametrize("outcome", [Outcome.STOPPED, Outcome.INACTIVE, Outcome.FAILED, Outcome.WAITING])
def test_erasure_reaches_the_lines_of_those_to_whom_nothing_was_given(outcome: str) -> None:
    user = make_user()
    award_list = make_list(user)
    award_list.lines.update(outcome=outcome)
    assert not Learner.objects.exists()
    type(user).objects.filter(pk=user.pk).update(username="retired__user_1", email="x@retired.invalid")
    assert api.sweep_retired() == 1
    award_list.refresh_from_db()
    assert (award_list.reason, award_list.lines.get().written) == ("", "")
    assert api.sweep_retired() == 0


def test_who_is_deleted_takes_along_what_staff_wrote_of_them() -> None:
    user, other, staff = make_user(), make_user(), make_user()
    alone, shared = make_list(user, given_by=staff), make_list(user, other, given_by=staff)
    for each in (alone, shared):
        api.start_giving(each)
        work(each)
    kept = {str(award.pk) for award in BadgeAward.objects.filter(progress__user=other)}
    user.delete()
    for each in (alone, shared):
        each.refresh_from_db()
    assert (alone.reason, shared.reason) == ("", "Spring school")
    assert [line.user for line in ManualAwardLine.objects.all()] == [other]
    assert {entry.object_id for entry in LogEntry.objects.exclude(change_message="")} == kept
