"""Lists of awards by hand: given and undone in steps that may be interrupted, repeated and done by several at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.dispatch import Signal
from django.utils import timezone

from badges_plugin import api
from badges_plugin.api import Ending
from badges_plugin.models import BadgeAward, ManualAward, ManualAwardLine, ManualAwardList
from badges_plugin.processing import manual_lists
from badges_plugin.signals import badges_awarded
from tests.factories import make_template, make_user, requires_course, send_passing
from tests.limits import Lower
from tests.meanwhile import meanwhile

pytestmark = pytest.mark.django_db
Outcome, State = ManualAwardLine.Outcome, ManualAwardList.State


@pytest.fixture(autouse=True)
def _short_steps(lower: Lower) -> None:
    lower(manual_lists, AT_ONCE=2)


def make_list(*users: Any, **changes: Any) -> ManualAwardList:
    template = changes.pop("template", None) or make_template(is_given_by_staff=True)
    award_list = ManualAwardList.objects.create(template=template, reason="Spring school", **changes)
    for number, user in enumerate(users, 1):
        outcome = Outcome.WAITING if user is not None else Outcome.UNKNOWN
        award_list.lines.create(number=number, written=f"line {number}", user=user, outcome=outcome)
    return award_list


def work(award_list: ManualAwardList) -> int:
    """Do all steps; return how many there were."""
    steps = 1
    while api.go_on_with_list(award_list.pk):
        steps += 1
    award_list.refresh_from_db()
    return steps


def outcomes(award_list: ManualAwardList) -> list[str]:
    return list(award_list.lines.order_by("number").values_list("outcome", flat=True))


def test_a_list_is_given_in_steps_and_undone_in_steps() -> None:
    staff, other = make_user(), make_user()
    award_list = make_list(*(make_user() for _ in range(5)), None, given_by=staff)
    assert api.start_giving(award_list)
    assert not api.start_giving(award_list)
    assert (work(award_list), award_list.state) == (3, State.GIVEN)
    assert outcomes(award_list) == [Outcome.GIVEN] * 5 + [Outcome.UNKNOWN]
    assert {award.given and award.given.given_by for award in BadgeAward.objects.all()} == {staff}
    assert award_list.awards.count() == 5
    assert api.start_undoing(award_list, by=other, reason="Wrong list")
    assert not api.start_undoing(award_list, by=other, reason="Again")
    assert (work(award_list), award_list.state, award_list.undone_by) == (3, State.UNDONE, other)
    assert outcomes(award_list) == [Outcome.UNDONE] * 5 + [Outcome.UNKNOWN]
    assert {(award.ended_by, award.reason) for award in BadgeAward.objects.all()} == {(Ending.UNDONE, "Wrong list")}


def test_whoever_confirms_a_list_gives_its_badges() -> None:
    maker, other = make_user(), make_user()
    award_list = make_list(make_user(), given_by=maker)
    assert api.start_giving(award_list, by=other)
    assert not api.start_giving(award_list, by=maker)
    work(award_list)
    award = BadgeAward.objects.get()
    assert (award_list.given_by, award.given and award.given.given_by) == (other, other)


def test_nothing_is_given_before_somebody_confirms() -> None:
    award_list = make_list(make_user())
    assert not api.go_on_with_list(award_list.pk)
    assert not api.start_undoing(award_list, by=None, reason="")
    assert not BadgeAward.objects.exists()


def test_who_has_it_or_is_gone_by_now_is_told_and_undoing_leaves_what_changed_since() -> None:
    template = make_template()
    requires_course(template)
    earner, changed, gone, same = make_user(), make_user(), make_user(email="x@retired.invalid"), make_user()
    send_passing(earner)
    award_list = make_list(earner, changed, gone, same, template=template)
    api.start_giving(award_list)
    work(award_list)
    assert outcomes(award_list) == [Outcome.HAS_IT, Outcome.GIVEN, Outcome.UNKNOWN, Outcome.GIVEN]
    api.revoke_award(BadgeAward.objects.get(progress__user=changed), reason="")
    api.start_undoing(award_list, by=None, reason="")
    work(award_list)
    assert outcomes(award_list) == [Outcome.HAS_IT, Outcome.KEPT, Outcome.UNKNOWN, Outcome.UNDONE]
    assert BadgeAward.objects.get(progress__user=earner).revoked_at is None


def test_what_another_process_has_done_meanwhile_is_not_done_again() -> None:
    award_list = make_list(make_user(), make_user())
    api.start_giving(award_list)
    stale = list(award_list.lines.order_by("number"))
    work(award_list)
    manual_lists._do(manual_lists._give, award_list, stale)
    assert outcomes(award_list) == [Outcome.GIVEN] * 2
    assert BadgeAward.objects.count() == 2


def refuse(of: Any, signal: Signal) -> Any:
    def receiver(awards: list[BadgeAward], **kwargs: Any) -> None:
        if any(award.user == of for award in awards):
            raise ValueError("no")

    signal.connect(receiver)
    return receiver


def test_a_line_that_fails_keeps_nobody_else() -> None:
    bad, good = make_user(), make_user()
    award_list = make_list(bad, good)
    api.start_giving(award_list)
    receiver = refuse(bad, badges_awarded)
    try:
        work(award_list)
    finally:
        badges_awarded.disconnect(receiver)
    assert outcomes(award_list) == [Outcome.FAILED, Outcome.GIVEN]
    assert [award.user for award in BadgeAward.objects.all()] == [good]


def test_a_badge_that_is_deactivated_meanwhile_is_given_to_nobody_else() -> None:
    award_list = make_list(*(make_user() for _ in range(3)))
    api.start_giving(award_list)
    assert api.go_on_with_list(award_list.pk)
    api.deactivate_template(award_list.template)
    work(award_list)
    assert outcomes(award_list) == [Outcome.GIVEN, Outcome.GIVEN, Outcome.INACTIVE]


def test_undoing_stops_what_is_still_being_given() -> None:
    award_list = make_list(*(make_user() for _ in range(3)))
    api.start_giving(award_list)
    assert api.go_on_with_list(award_list.pk)
    api.start_undoing(award_list, by=None, reason="")
    work(award_list)
    assert outcomes(award_list) == [Outcome.UNDONE, Outcome.UNDONE, Outcome.STOPPED]


def test_the_worker_goes_on_and_looks_only_once_where_no_list_waits(django_assert_num_queries: Any) -> None:
    now = timezone.now()
    award_list = make_list(make_user(), None)
    draft = make_list(make_user(), created_at=now - timedelta(days=2))
    api.start_giving(award_list)
    while api.go_on_with_lists(now):
        pass
    assert outcomes(award_list) == [Outcome.GIVEN, Outcome.UNKNOWN]
    assert list(ManualAwardList.objects.exclude(pk=award_list.pk)) == [draft]
    with django_assert_num_queries(1):
        assert not api.go_on_with_lists(now)


def test_old_drafts_and_what_means_nobody_are_forgotten(lower: Lower) -> None:
    lower(manual_lists, DRAFTS_AT_ONCE=1)
    now = timezone.now()
    award_list = make_list(make_user(), None)
    api.start_giving(award_list)
    work(award_list)
    drafts = [make_list(make_user(), created_at=now - timedelta(days=days)) for days in (2, 3, 0)]
    while api.forget_old_lists(now):
        pass
    assert list(ManualAwardList.objects.exclude(pk=award_list.pk)) == drafts[2:]
    # Whoever confirms at that instant: the page was read before.
    assert not api.start_giving(drafts[0])
    while api.forget_old_lists(now + timedelta(days=31)):
        pass
    written = award_list.lines.order_by("number").values_list("written", flat=True)
    assert list(written) == ["line 1", ""]


def test_erasure_reaches_the_lines_and_the_reason_of_a_list_of_one() -> None:
    user, other = make_user(), make_user()
    alone, shared = make_list(user), make_list(user, other)
    for each in (alone, shared):
        api.start_giving(each)
        work(each)
    type(user).objects.filter(pk=user.pk).update(username="retired__user_1", email="x@retired.invalid")
    assert api.sweep_retired() == 1
    for each in (alone, shared):
        each.refresh_from_db()
    assert (alone.reason, shared.reason) == ("", "Spring school")
    assert list(shared.lines.order_by("number").values_list("written", flat=True)) == ["", "line 2"]
    reasons = ManualAward.objects.order_by("pk").values_list("award__progress__user", "reason")
    assert sorted(set(reasons)) == sorted({(user.pk, ""), (other.pk, "Spring school")})
    # What is undone afterwards says nothing of them either.
    api.start_undoing(shared, by=make_user(), reason="Lea is not Lou")
    work(shared)
    ended = BadgeAward.objects.filter(ended_by=Ending.UNDONE).values_list("progress__user", "revocation_reason")
    assert sorted(ended) == sorted([(user.pk, ""), (other.pk, "Lea is not Lou")])
    assert LogEntry.objects.filter(change_message__contains="Lea").count() == 1


def test_staff_find_learners_by_name_or_address_in_any_case() -> None:
    ada = make_user(username="ada", email="Ada@Example.org", lms_user_id=1)
    old_name = make_user(username="ada_old", email="", lms_user_id=1)
    make_user(username="twin1", email="twins@example.org")
    make_user(username="twin2", email="twins@example.org")
    make_user(username="gone", email="gone@retired.invalid")
    odd = make_user(username="x@example.org", email="y@example.org")
    make_user(username="both@example.org", email="")
    make_user(username="other", email="both@example.org")
    texts = [
        "ada",
        "ADA",
        "ada@example.ORG",
        "ada_old",
        "twins@example.org",
        "gone",
        "x@example.org",
        "nobody",
        "josé",
        "both@example.org",
    ]
    make_user(username="jose")
    found = api.find_learners(texts)
    assert list(found) == texts
    assert {text: each.user_id for text, each in found.items()} == {
        "ada": ada.pk,
        "ADA": ada.pk,
        "ada@example.ORG": ada.pk,
        "ada_old": ada.pk,  # the same person, who has two users here
        "twins@example.org": None,
        "gone": None,
        "x@example.org": odd.pk,
        "nobody": None,
        "josé": None,
        "both@example.org": None,
    }
    assert [text for text, each in found.items() if each.is_several] == ["twins@example.org", "both@example.org"]
    assert old_name.pk != ada.pk


def begins_to_lock(sql: str) -> bool:
    return "FOR UPDATE" in sql or "FOR NO KEY" in sql


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_two_who_work_on_a_list_at_once_give_and_undo_each_badge_once() -> None:
    award_list = make_list(*(make_user() for _ in range(3)))
    api.start_giving(award_list)
    with meanwhile(lambda: api.go_on_with_list(award_list.pk), before=begins_to_lock) as other:
        api.go_on_with_list(award_list.pk)
        other()
    work(award_list)
    assert outcomes(award_list) == [Outcome.GIVEN] * 3
    assert list(BadgeAward.objects.values_list("number", "revoked_at")) == [(1, None)] * 3
    api.start_undoing(award_list, by=None, reason="")
    with meanwhile(lambda: api.go_on_with_list(award_list.pk), before=begins_to_lock) as other:
        api.go_on_with_list(award_list.pk)
        other()
    work(award_list)
    assert outcomes(award_list) == [Outcome.UNDONE] * 3
    assert BadgeAward.objects.filter(ended_by=Ending.UNDONE).count() == 3


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_first", [True, False])
def test_who_earns_it_while_it_is_given_has_it_once(is_first: bool) -> None:
    template, user = make_template(), make_user()
    requires_course(template)

    def give() -> None:
        api.award_by_hand(template, user, reason="Spring school")

    def earn() -> None:
        send_passing(user)

    first, second = (give, earn) if is_first else (earn, give)
    with meanwhile(first, before=begins_to_lock) as other:
        second()
        other()
    assert BadgeAward.objects.get().revoked_at is None
