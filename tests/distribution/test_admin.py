"""Deliveries in the admin: what needs attention, why, and the way on."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from badges_plugin.distribution import queueing
from badges_plugin.distribution.admin import DeliveryAdmin
from badges_plugin.distribution.exceptions import PermanentFailure, RejectedKey
from badges_plugin.distribution.models import Channel, Delivery, DeliveryAttempt
from badges_plugin.distribution.retry import State
from badges_plugin.models import BadgeTemplate
from tests.distribution.fakes import Provider
from tests.distribution.worlds import deliver
from tests.factories import send_passing, staff_who_may

LIST = "admin:badges_distribution_delivery_changelist"
CHANGE = "admin:badges_distribution_delivery_change"
CHANNELS = "admin:badges_distribution_channel_changelist"


def act(client: Client, url: str, action: str, pk: int) -> list[str]:
    response = client.post(reverse(url), {"action": action, "_selected_action": [pk]}, follow=True)
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def failed(ada: Any, template: BadgeTemplate, provider: Provider) -> Delivery:
    provider.before = [PermanentFailure("the moon is wrong")]
    send_passing(ada)
    deliver()
    return Delivery.objects.get()


def test_a_failure_is_shown_with_its_reason_and_history(admin_client: Client, failed: Delivery) -> None:
    assert "the moon is wrong" in admin_client.get(reverse(LIST)).content.decode()

    page = admin_client.get(reverse(CHANGE, args=[failed.pk])).content.decode()
    assert "failed, needs attention" in page
    assert f"{failed.award.user.username}: {failed.award.template}, issue" in page
    assert reverse("admin:badges_plugin_badgeaward_change", args=[failed.award_id]) in page
    assert 'name="_save"' not in page


def test_of_many_attempts_the_latest_are_shown(admin_client: Client, failed: Delivery) -> None:
    DeliveryAttempt.objects.all().delete()
    rows = [
        DeliveryAttempt(
            delivery=failed, number=number, outcome="transient", looked_up=False,
            reason=f"reason {number:04}", started_at=timezone.now(), milliseconds=1,
        )
        for number in range(1, 251)
    ]  # fmt: skip
    DeliveryAttempt.objects.bulk_create(rows)
    Delivery.objects.update(attempts=250)

    page = admin_client.get(reverse(CHANGE, args=[failed.pk])).content.decode()
    assert [number for number in range(1, 251) if f"reason {number:04}" in page] == list(range(151, 251))


def test_try_again(admin_client: Client, failed: Delivery) -> None:
    assert act(admin_client, LIST, "try_again", failed.pk) == ["1 delivery is due now."]

    assert deliver() == {"done": 1}
    assert act(admin_client, LIST, "try_again", failed.pk) == [
        "Nothing to try again: this is delivered, given up, cancelled or being sent."
    ]


def test_the_list_offers_to_try_again_beside_the_reason(admin_client: Client, failed: Delivery) -> None:
    address = f"{reverse(LIST)}?state__exact=failed"
    page = admin_client.get(address).content.decode()
    assert "What you can do" in page
    action = re.search(r'formaction="([^"]+)" name="id" value="(\d+)"', page)
    assert action is not None
    answer = admin_client.post(unescape(action[1]), {"id": action[2]})
    assert (answer.status_code, answer["Location"]) == (302, address)
    failed.refresh_from_db()
    assert failed.state == "pending"
    page = admin_client.get(reverse(LIST)).content.decode()
    assert "formaction" not in page, "it goes on by itself"
    assert "What you can do" not in page, "and there is no empty column"
    Delivery.objects.update(state="failed")
    looks_only = Client()
    looks_only.force_login(staff_who_may("view_delivery"))
    assert "formaction" not in looks_only.get(reverse(LIST)).content.decode()


@pytest.mark.parametrize(
    ("state", "in_doubt", "due_in", "expected"),
    [
        ("failed", False, -900, 0),
        ("pending", False, 900, 0),
        # The request may still be under way; it is not looked up before that can be over.
        ("failed", True, -900, 600),
        ("pending", True, 900, 600),
        ("pending", True, 500, 500),
        ("pending", True, -900, -900),
    ],
)
def test_retry_now_leaves_a_request_in_doubt_the_time_to_arrive(
    failed: Delivery, settings: Any, state: str, in_doubt: bool, due_in: int, expected: int
) -> None:
    settings.BADGES_CONFIG["distribution"]["retry_settle"] = 600.0
    now = timezone.now()
    rows = Delivery.objects.filter(pk=failed.pk)
    rows.update(state=state, in_doubt=in_doubt, next_attempt_at=now + timedelta(seconds=due_in))

    assert queueing.retry_now(rows) == 1

    row = rows.get()
    assert row.state == "pending"
    assert timedelta(0) <= row.next_attempt_at - now - timedelta(seconds=expected) < timedelta(seconds=90)


def test_who_tries_again_is_told_of_a_paused_channel(
    admin_client: Client, ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    provider.before = [RejectedKey("HTTP 401")]
    send_passing(ada)
    deliver()

    due, paused = act(admin_client, LIST, "try_again", Delivery.objects.get().pk)
    assert due == "1 delivery is due now."
    assert f"Fake: The account called {template.uuid}" in paused
    assert "Correct its API key first" in paused


def test_only_what_is_under_way_has_a_next_attempt(
    admin_client: Client, ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    def next_attempt() -> object:
        [row] = admin_client.get(reverse(LIST)).context["cl"].result_list
        return DeliveryAdmin(Delivery, admin.site).next_attempt(row)

    send_passing(ada)
    due = timezone.localtime(Delivery.objects.get().next_attempt_at)
    assert next_attempt() == date_format(due, "DATETIME_FORMAT")
    deliver()
    assert next_attempt() == ""
    for changes, said in (
        ({"state": State.FAILED}, "not by itself"),
        ({"state": State.CANCELLED}, ""),
        ({"state": State.PENDING}, "as soon as the key works"),
    ):
        Delivery.objects.update(**changes)
        Channel.objects.update(paused_reason="HTTP 401")
        assert next_attempt() == said


def test_the_list_says_first_which_accounts_are_on_hold(
    admin_client: Client, ada: Any, template: BadgeTemplate, provider: Provider
) -> None:
    assert not admin_client.get(reverse(LIST)).context["notes"]
    provider.before = [RejectedKey("HTTP 401")]
    send_passing(ada)
    deliver()
    page = admin_client.get(reverse(LIST))
    said = page.context["notes"][0]["text"]
    assert said.startswith(f"Fake: The account called {template.uuid} is on hold. ")
    assert said.endswith("Reason: HTTP 401")
    assert "on hold" in page.content.decode()


def test_resume(admin_client: Client, ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    provider.before = [RejectedKey("HTTP 401")]
    send_passing(ada)
    deliver()
    page = admin_client.get(reverse(CHANNELS)).content.decode()
    assert "HTTP 401" in page
    assert f"Fake: The account called {template.uuid}" in page

    act(admin_client, CHANNELS, "resume", Channel.objects.get().pk)
    assert deliver() == {"done": 1}


@pytest.mark.parametrize("model", ["delivery", "channel"])
def test_nothing_is_added_or_deleted_by_hand(admin_client: Client, failed: Delivery, model: str) -> None:
    page = admin_client.get(reverse(f"admin:badges_distribution_{model}_changelist")).content.decode()

    assert "delete_selected" not in page
    assert admin_client.get(reverse(f"admin:badges_distribution_{model}_add")).status_code == 403
    assert admin_client.post(reverse(f"admin:badges_distribution_{model}_delete", args=[1])).status_code in {302, 403}
    assert Delivery.objects.exists()
