"""What staff decide about a delivery: asked first, kept with who and why, and taken back where that is possible."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badges_plugin import api
from badges_plugin.distribution import deciding
from badges_plugin.distribution.claims import claim
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.delivery import carry_out, prepare
from badges_plugin.distribution.exceptions import PermanentFailure, RejectedKey, TransientFailure
from badges_plugin.distribution.models import Delivery, DeliveryDecision
from badges_plugin.distribution.recording import record
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.core.admin_pages import errors, text
from tests.distribution.fakes import Provider
from tests.distribution.worlds import deliver, let_time_pass
from tests.factories import make_user, send_passing, staff_who_may

LIST, CHANGE, GIVE_UP, TRY_AGAIN, TAKE_UP = (
    f"admin:badges_distribution_delivery_{page}" for page in ("changelist", "change", "give_up", "try_again", "take_up")
)


@pytest.fixture
def staff(db: None) -> User:
    return make_user(username="okafor", full_name="J. Okafor")


@pytest.fixture
def failed(ada: Any, template: BadgeTemplate, provider: Provider) -> Delivery:
    provider.before = [PermanentFailure("the moon is wrong")]
    send_passing(ada, minute=1)
    deliver()
    return Delivery.objects.get()


def states() -> list[tuple[int, str, str]]:
    return list(Delivery.objects.order_by("pk").values_list("award__number", "action", "state"))


def page_of(client: Client, delivery: Delivery) -> str:
    return text(client.get(reverse(CHANGE, args=[delivery.pk])))


def test_giving_up_asks_keeps_the_reason_and_is_taken_back(
    admin_client: Client, failed: Delivery, provider: Provider
) -> None:
    page = page_of(admin_client, failed)
    assert "Fake does not have this yet: somebody must act. the moon is wrong. It is not tried again by itself." in page
    assert "Try again now" in page
    address = f"{reverse(GIVE_UP)}?id={failed.pk}"
    assert address in admin_client.get(reverse(CHANGE, args=[failed.pk])).content.decode()

    question = text(admin_client.get(address))
    assert f"Give up the delivery of “{failed.award.template}” to Ada Lovelace?" in question
    assert "Fake will not get this badge. Ada Lovelace keeps it on this site ; nothing is revoked." in question
    assert "Last reason: the moon is wrong. It stays on record." in question
    assert states() == [(1, "issue", "failed")]

    refused = admin_client.post(reverse(GIVE_UP), {"id": failed.pk, "because": " "})
    assert "This field is required." in text(refused)
    assert states() == [(1, "issue", "failed")]

    done = admin_client.post(reverse(GIVE_UP), {"id": failed.pk, "because": "Left the university"}, follow=True)
    assert "1 delivery was given up. Later deliveries of the same badge continue." in errors(done)
    failed.refresh_from_db()
    assert (failed.state, failed.last_error) == ("given_up", "the moon is wrong")
    page = page_of(admin_client, failed)
    assert "Given up by admin on " in page
    assert ": “Left the university” Last reason: the moon is wrong. Take it up again" in page
    let_time_pass()
    assert deliver() == {}

    admin_client.post(reverse(TAKE_UP), {"id": failed.pk})
    assert deliver() == {"done": 1}
    assert len(provider.live()) == 1
    assert list(DeliveryDecision.objects.order_by("pk").values_list("decision", "by__username", "because")) == [
        ("given_up", "admin", "Left the university"),
        ("taken_up", "admin", ""),
    ]
    # The history of the admin tells it in words, without what may name a learner.
    assert list(LogEntry.objects.order_by("pk").values_list("object_id", "change_message")) == [
        (str(failed.pk), "Given up."),
        (str(failed.pk), "Taken up again."),
    ]


def test_several_are_given_up_with_one_reason(admin_client: Client, failed: Delivery, ada: Any) -> None:
    send_passing(make_user(), minute=2)
    keys = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))

    question = admin_client.post(reverse(LIST), {"action": "give_up", "_selected_action": keys}, follow=True)
    assert "Give up 2 deliveries?" in text(question)
    assert f"ada : {failed.award.template} , issue (the moon is wrong)" in text(question)

    admin_client.post(reverse(GIVE_UP), {"id": keys, "because": "Course was a test"})
    assert states() == [(1, "issue", "given_up")] * 2
    assert DeliveryDecision.objects.filter(because="Course was a test").count() == 2


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ([], "Nothing to give up"),
        (["1x", "", "-1", "9" * 30, "²"], "Nothing to give up"),
        (range(1, 202), "Select at most 200 at once."),
    ],
)
def test_what_is_asked_about_must_be_rows_that_can_be_given_up(
    admin_client: Client, failed: Delivery, sent: Sequence[Any], said: str
) -> None:
    page = admin_client.post(reverse(GIVE_UP), {"id": list(sent), "because": "x"}, follow=True)
    assert said in errors(page)
    assert states() == [(1, "issue", "failed")]


def test_trying_again_where_the_reason_is_read(admin_client: Client, failed: Delivery) -> None:
    # A link that somebody follows changes nothing.
    admin_client.get(reverse(TRY_AGAIN), {"id": failed.pk})
    assert states() == [(1, "issue", "failed")]

    done = admin_client.post(reverse(TRY_AGAIN), {"id": failed.pk}, follow=True)
    assert done.redirect_chain == [(reverse(CHANGE, args=[failed.pk]), 302)]
    assert "1 delivery is due now." in errors(done)
    assert deliver() == {"done": 1}
    page = page_of(admin_client, failed)
    assert "Issued by Fake." in page
    assert "Try again now" not in page
    assert "Give up" not in page


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [("/admin/", "/admin/"), ("https://evil.example/", None), ("//evil.example", None), ("javascript:alert(1)", None)],
)
def test_afterwards_one_is_where_one_was_if_that_is_here(
    admin_client: Client, failed: Delivery, wanted: str, leads_to: str | None
) -> None:
    done = admin_client.post(reverse(TRY_AGAIN), {"id": failed.pk, "next": wanted})
    assert done["Location"] == leads_to or reverse(CHANGE, args=[failed.pk])


def test_who_may_only_look_sees_the_reason_and_no_buttons(failed: Delivery) -> None:
    client = Client()
    client.force_login(staff_who_may("view_delivery"))

    page = page_of(client, failed)
    assert "somebody must act. the moon is wrong." in page
    assert "Try again now" not in page
    for address in (GIVE_UP, TRY_AGAIN, TAKE_UP):
        assert client.post(reverse(address), {"id": failed.pk, "because": "x"}).status_code == 403
    assert Client().get(f"{reverse(GIVE_UP)}?id={failed.pk}").status_code == 302
    assert states() == [(1, "issue", "failed")]


def test_what_is_being_sent_is_not_given_up(failed: Delivery, staff: User) -> None:
    Delivery.objects.update(state="sending")
    assert deciding.give_up([failed.pk], by=staff, because="x") == []
    assert deciding.try_again([failed.pk], by=staff) == []
    assert deciding.take_up([failed.pk], by=staff) == []
    assert not DeliveryDecision.objects.exists()


def test_an_issue_that_was_given_up_in_doubt_is_looked_up_when_its_badge_ends(
    ada: Any, template: BadgeTemplate, provider: Provider, staff: User
) -> None:
    provider.after = [TransientFailure("no answer", ambiguous=True)]
    send_passing(ada, minute=1)
    take_once()
    issue = Delivery.objects.get()
    assert (issue.state, issue.in_doubt, len(provider.live())) == ("pending", True, 1)
    deciding.give_up([issue.pk], by=staff, because="x")

    send_passing(ada, minute=2, is_passing=False)
    let_time_pass()
    deliver()
    assert states() == [(1, "issue", "done"), (1, "revoke", "done")]
    assert provider.live() == []


def take_once() -> None:
    """Let a worker make one attempt of each delivery."""
    policy = config().retry
    for job in prepare(claim(10, worker="test", lease=60, now=timezone.now(), policy=policy), config()):
        record(carry_out(job), policy=policy)


def test_an_issue_whose_badge_has_ended_is_not_taken_up(failed: Delivery, ada: Any, staff: User) -> None:
    deciding.give_up([failed.pk], by=staff, because="x")
    send_passing(ada, minute=2, is_passing=False)
    assert deciding.take_up([failed.pk], by=staff) == []
    assert states() == [(1, "issue", "cancelled")]


def test_a_revocation_is_not_taken_up_once_the_badge_was_earned_again(
    admin_client: Client, ada: Any, template: BadgeTemplate, provider: Provider, staff: User
) -> None:
    send_passing(ada, minute=1)
    deliver()
    provider.before = [PermanentFailure("replaced", status=422)]
    send_passing(ada, minute=2, is_passing=False)
    deliver()
    revocation = Delivery.objects.get(action="revoke")
    question = text(admin_client.get(f"{reverse(GIVE_UP)}?id={revocation.pk}"))
    assert "Give up the revocation of" in question
    assert "may stay valid there" in question
    deciding.give_up([revocation.pk], by=staff, because="x")
    assert "Take it up again" in page_of(admin_client, revocation)

    # It becomes the badge of the next award.
    send_passing(ada, minute=3)
    deliver()
    assert "Take it up again" not in page_of(admin_client, revocation)
    told = admin_client.post(reverse(TAKE_UP), {"id": revocation.pk}, follow=True)
    assert "The learner has the badge again since." in errors(told)
    assert provider.live() == ["badge-1"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "pending"}, "Waiting. Next attempt: Jan. 1, 2030"),
        ({"state": "sending"}, "It is being sent now. Last reason: the moon is wrong."),
        ({"state": "cancelled"}, "Nothing is sent. the moon is wrong."),
        ({"state": "failed", "awaits_name": True}, "It goes on by itself once the learner has a name."),
        ({"state": "pending", "backend": "gone"}, "the provider “gone” is not installed any more"),
        ({"state": "done", "action": "revoke"}, "Revoked at Fake."),
    ],
)
def test_the_page_says_first_what_is(
    admin_client: Client, failed: Delivery, changes: dict[str, Any], said: str
) -> None:
    Delivery.objects.update(next_attempt_at="2030-01-01T12:00Z", **changes)
    assert said in page_of(admin_client, failed)


def test_the_page_says_that_an_account_is_on_hold(
    admin_client: Client, ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    provider.before = [RejectedKey("HTTP 401")]
    send_passing(ada)
    deliver()
    page = page_of(admin_client, Delivery.objects.get())
    assert "On hold: it goes on by itself once the account “Fake: The account called" in page


def test_what_staff_wrote_goes_with_a_retired_learner(failed: Delivery, ada: Any, staff: User) -> None:
    deciding.give_up([failed.pk], by=staff, because="Ada Lovelace left")
    ada.username = "retired__user_ada"
    ada.save()
    api.sweep_retired()
    failed.refresh_from_db()
    assert (failed.last_error, DeliveryDecision.objects.get().because) == ("", "")
    assert BadgeAward.objects.get().revoked_at is None


@pytest.mark.parametrize(
    ("action", "attempts", "in_doubt"), [("issue", 2, True), ("issue", 0, False), ("revoke", 2, False)]
)
def test_an_issue_that_was_given_up_before_the_upgrade_may_have_arrived(
    failed: Delivery, action: str, attempts: int, in_doubt: bool
) -> None:
    upgrade = import_module("badges_plugin.distribution.migrations.0009_given_up")
    Delivery.objects.update(state="cancelled", last_error=upgrade.GIVEN_UP, action=action, attempts=attempts)
    upgrade.mark_given_up(apps, SimpleNamespace(connection=connection))
    failed.refresh_from_db()
    assert (failed.state, failed.in_doubt) == ("given_up", in_doubt)


def test_nobody_whose_account_is_gone_is_named(admin_client: Client, failed: Delivery, ada: User, staff: User) -> None:
    User.objects.filter(pk=ada.pk).update(username="retired__user_1", full_name="Ada Lovelace")
    question = text(admin_client.get(reverse(GIVE_UP), {"id": failed.pk}))
    assert "retired__user_1" in question
    assert "Lovelace" not in question
    deciding.give_up([failed.pk], by=staff, because="Left")
    User.objects.filter(pk=staff.pk).update(username="retired__user_2", full_name="J. Okafor")
    page = page_of(admin_client, failed)
    assert "Given up by somebody on " in page
    assert "Okafor" not in page
