"""The corrected name of a learner, at Credly: the badge is replaced by one with the new name."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badges_plugin import api
from badges_plugin.distribution import deciding
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate
from badges_plugin.distribution.models import Delivery, DeliveryDecision
from badges_plugin.host import User
from badges_plugin.models import BadgeAward
from sandbox.credly import CredlySimulator
from tests.core.admin_pages import errors, text
from tests.distribution.worlds import deliver, let_time_pass
from tests.factories import make_user, send_passing

SEND = "admin:badges_plugin_badgeaward_send_name"


@pytest.fixture
def award(credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any) -> BadgeAward:
    send_passing(ada)
    deliver()
    ada.full_name = "Ada King"
    ada.save()
    return BadgeAward.objects.select_related("progress__user", "progress__template").get()


def names(credly: CredlySimulator) -> list[str]:
    """Return the names on the badges that count."""
    live = [badge for badge in credly.badges() if badge.is_live]
    return [f"{badge.issued_to_first_name} {badge.issued_to_last_name}" for badge in live]


def rows() -> list[tuple[str, str]]:
    return list(Delivery.objects.order_by("pk").values_list("action", "state"))


def test_the_page_asks_and_the_badge_is_replaced(
    admin_client: Client, credly: CredlySimulator, award: BadgeAward
) -> None:
    page = admin_client.get(reverse("admin:badges_plugin_badgeaward_change", args=[award.pk]))
    assert "Send the corrected name…" in text(page)
    question = text(admin_client.get(reverse(SEND), {"id": award.pk}))
    assert f"Send the name of Ada King for “{award.template}”?" in question
    assert "Credly replaces the badge by a new one" in question

    done = admin_client.post(reverse(SEND), {"id": award.pk}, follow=True)
    assert "The name is sent for 1 badge." in errors(done)
    assert deliver() == {"done": 1}
    assert names(credly) == ["Ada King"]
    badge, [new] = CredlyBadge.objects.get(), [each for each in credly.badges() if each.is_live]
    assert (str(badge.external_id), badge.status, badge.state) == (new.id, "awarded", "pending")
    assert new.issued_at == credly.badges()[0].issued_at
    assert LogEntry.objects.get().change_message == "Corrected name sent."
    assert DeliveryDecision.objects.get().decision == "name"
    correction = Delivery.objects.get(action="correct")
    address = reverse("admin:badges_distribution_delivery_change", args=[correction.pk])
    assert "The name was corrected at Credly." in text(admin_client.get(address))


def test_a_name_is_corrected_again_and_the_badge_of_today_is_revoked(
    credly: CredlySimulator, award: BadgeAward, ada: Any
) -> None:
    staff = make_user()
    assert deciding.send_name(award, by=staff)
    assert deciding.send_name(award, by=staff)  # still one delivery
    deliver()
    ada.full_name = "Countess Lovelace"
    ada.save()
    deciding.send_name(award, by=staff)
    deliver()
    assert names(credly) == ["Countess Lovelace"]
    assert rows() == [("issue", "done"), ("correct", "done")]

    api.revoke_award(award, reason="After all")
    deliver()
    assert names(credly) == []
    assert rows()[-1] == ("revoke", "done")


@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_answer_replaces_the_badge_once(credly: CredlySimulator, award: BadgeAward, applied: bool) -> None:
    credly.fail(applied=applied, manner="drop", operation="replace")
    deciding.send_name(award, by=make_user())
    for _ in range(2):
        deliver()
        let_time_pass()
    assert names(credly) == ["Ada King"]
    assert len(credly.badges()) == 2
    assert rows() == [("issue", "done"), ("correct", "done")]


def test_a_name_that_waits_is_not_corrected_once_the_badge_has_ended(
    credly: CredlySimulator, award: BadgeAward
) -> None:
    deciding.send_name(award, by=make_user())
    api.revoke_award(award, reason="After all")
    deliver()
    assert rows() == [("issue", "done"), ("correct", "cancelled"), ("revoke", "done")]
    assert deciding.send_name(award, by=make_user()) == []


def test_without_a_badge_at_a_provider_nothing_is_offered(
    admin_client: Client, credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    send_passing(ada)
    award = BadgeAward.objects.get()
    page = admin_client.get(reverse("admin:badges_plugin_badgeaward_change", args=[award.pk]))
    assert "Send the corrected name" not in text(page)
    done = admin_client.post(reverse(SEND), {"id": award.pk}, follow=True)
    assert "There is no badge at a provider" in errors(done)


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_a_correction_that_is_not_needed_any_more_does_not_keep_the_badge(
    credly: CredlySimulator, award: BadgeAward, state: str
) -> None:
    deciding.send_name(award, by=make_user())
    # What a worker leaves that got no answer.
    Delivery.objects.filter(action="correct").update(state=state, in_doubt=True)
    api.revoke_award(award, reason="After all")
    let_time_pass()
    deliver()
    assert names(credly) == []
    assert rows() == [("issue", "done"), ("correct", "cancelled"), ("revoke", "done")]


def test_a_badge_that_is_given_back_is_the_one_with_the_corrected_name(
    credly: CredlySimulator, award: BadgeAward
) -> None:
    deciding.send_name(award, by=make_user())
    deliver()
    api.revoke_award(award, reason="Wrong list")
    again = api.give_back(award)
    deliver()
    assert names(credly) == ["Ada King"]
    [live] = [each for each in credly.badges() if each.is_live]
    assert Delivery.objects.get(award=again, action="issue").external_id == live.id

    api.revoke_award(again, reason="After all")
    deliver()
    assert names(credly) == []


def test_a_later_issue_in_doubt_does_not_adopt_what_was_replaced(
    credly: CredlySimulator, award: BadgeAward, ada: Any
) -> None:
    for name in ("Ada Byron", "Ada King"):
        ada.full_name = name
        ada.save()
        deciding.send_name(award, by=make_user())
        deliver()
    api.revoke_award(award, reason="Wrong list")
    deliver()
    credly.fail(applied=False, manner="drop", operation="issue")
    api.give_back(award)
    for _ in range(2):
        deliver()
        let_time_pass()
    assert names(credly) == ["Ada King"]
    assert len(credly.badges()) == 4


def test_a_double_click_waits_for_the_first(award: BadgeAward) -> None:
    staff = make_user()
    with CaptureQueriesContext(connection) as queries:
        assert deciding.send_name(award, by=staff) == deciding.send_name(award, by=staff)
    assert rows() == [("issue", "done"), ("correct", "pending")]
    # Before the deliveries are read, among which the first may be about to put one.
    reading = [each["sql"] for each in queries if each["sql"].startswith("SELECT")]
    assert f"FROM {connection.ops.quote_name(User._meta.db_table)}" in reading[0]
