"""The Credly backend against the simulator: the suite that every backend must pass, and what is Credly's own."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from badges_plugin.distribution.claims import claim
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.delivery import carry_out, prepare
from badges_plugin.distribution.models import Delivery
from badges_plugin.models import BadgeAward
from sandbox.credly import DEMO_KEY, CredlySimulator, listing
from sandbox.credly import badges as at_credly
from tests.distribution.backend_cases import BackendCases
from tests.distribution.worlds import deliver, let_time_pass, settings_of_deliveries
from tests.factories import UserFactory, send_passing


class CredlyWorld:
    """The simulator as the inherited suite wants it."""

    def __init__(
        self, simulator: CredlySimulator, organization: CredlyOrganization, template: CredlyBadgeTemplate
    ) -> None:
        self.simulator = simulator
        self.organization = organization
        self.template = template

    def live(self) -> list[str]:
        return [badge.id for badge in self.simulator.badges() if badge.is_live]

    def gone(self) -> list[str]:
        return [badge.id for badge in self.simulator.badges(state="revoked")]

    def calls(self, action: Action) -> int:
        return len(self.simulator.requests(action.value))

    def lose_answers(self, action: Action) -> None:
        self.simulator.fail(applied=True, manner="drop", operation=action.value)

    def lose_requests(self, action: Action) -> None:
        self.simulator.fail(applied=False, manner="drop", operation=action.value)

    def break_down(self) -> None:
        self.simulator.fail(status=503, times=None)

    def throttle(self, seconds: int) -> None:
        self.simulator.fail(status=429, retry_after=str(seconds))

    def recover(self) -> None:
        self.simulator.behave()

    def reject_key(self) -> None:
        self.simulator.world.update_organization(str(self.organization.uuid), {"keys_rejected": True})

    def change_key(self) -> None:
        self.simulator.world.update_organization(str(self.organization.uuid), {"keys_rejected": False})
        self.simulator.world.rotate_key(str(self.organization.uuid), "another-key")
        self.organization.set_api_key("another-key")
        self.organization.save()

    def issue_by_hand(self, email: str) -> str:
        values = {
            "recipient_email": email,
            "issued_to_first_name": "By",
            "issued_to_last_name": "Hand",
            "badge_template_id": str(self.template.uuid),
            "issued_at": "2026-01-01 00:00:00 +0000",
        }
        return at_credly.issue(self.simulator.world, str(self.organization.uuid), values).badge.id


class TestCredlyBackend(BackendCases):
    @pytest.fixture
    def world(
        self, credly: CredlySimulator, organization: CredlyOrganization, template: CredlyBadgeTemplate
    ) -> CredlyWorld:
        return CredlyWorld(credly, organization, template)


def test_the_body_of_an_issue(credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any, settings: Any) -> None:
    settings.BADGES_CONFIG["credly"] |= {"LOCALE": "fr", "SUPPRESS_ISSUE_EMAIL": True}
    send_passing(ada)
    deliver()

    [issued] = credly.badges()
    award = BadgeAward.objects.get()
    assert issued.issuer_earner_id == str(award.credential.uuid)
    assert (issued.locale, issued.suppress_badge_notification_email) == ("fr", True)
    assert parse_datetime(issued.issued_at) == award.awarded_at.replace(microsecond=0)


def test_the_body_of_a_revocation(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any, settings: Any
) -> None:
    send_passing(ada, minute=1)
    deliver()
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    [revoked] = credly.badges()
    assert revoked.revocation_reason == BadgeAward.objects.get().revocation_reason != ""


def test_a_silent_credly_is_asked_again_after_the_time_out(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any, settings: Any
) -> None:
    settings.BADGES_CONFIG["distribution"] = settings_of_deliveries(request_timeout=0.3)
    credly.fail(applied=True, manner="hang", hold=5, operation="issue")
    send_passing(ada)
    deliver()

    assert len(credly.requests("issue")) == 1
    assert Delivery.objects.get().state == "done"


@pytest.mark.parametrize("address", ["", "a|b@example.org"])
def test_a_revocation_in_doubt_is_not_looked_for_among_everybodys_badges(
    credly: CredlySimulator, organization: CredlyOrganization, template: CredlyBadgeTemplate, ada: Any, address: str
) -> None:
    world = CredlyWorld(credly, organization, template)
    send_passing(ada, minute=1)
    deliver()
    for number in range(9):
        world.issue_by_hand(f"somebody.{number}@example.org")
    # The address went meanwhile, as a retired learner's does; or Credly's filter cannot hold today's.
    ada.email = address
    ada.save()
    world.lose_answers(Action.REVOKE)
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    assert Delivery.objects.get(action="revoke").state == "done"
    assert len(credly.requests("list_badges")) == 1


def test_a_badge_that_was_deleted_at_credly_counts_as_revoked(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    send_passing(ada, minute=1)
    deliver()
    [issued] = credly.badges()
    at_credly.delete(credly.world, issued.organization_id, issued.id)
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    assert Delivery.objects.get(action="revoke").state == "done"
    assert CredlyBadge.objects.get().state == "deleted"


def test_a_badge_that_was_revoked_at_credly_is_not_a_failure(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    send_passing(ada, minute=1)
    deliver()
    [issued] = credly.badges()
    at_credly.revoke(credly.world, issued.organization_id, issued.id, {})
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    assert Delivery.objects.get(action="revoke").state == "done"


def test_a_badge_that_names_another_earner_is_not_adopted(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    send_passing(ada)
    deliver()
    send_passing(UserFactory.create(email=ada.email.upper()))
    deliver()

    [failed] = Delivery.objects.filter(state="failed")
    assert "duplicate" in failed.last_error
    assert len(credly.badges()) == 1


@pytest.mark.parametrize(("change", "words"), [({"state": "archived"}, "archived"), ({"state": "draft"}, "draft")])
def test_templates_that_credly_does_not_issue(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any, change: dict[str, str], words: str
) -> None:
    credly.world.change_template(str(template.uuid), change)
    send_passing(ada)
    deliver()

    [failed] = Delivery.objects.all()
    assert (failed.state, words in failed.last_error) == ("failed", True)


def test_templates_with_duplicates_are_issued_once_all_the_same(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    credly.world.change_template(str(template.uuid), {"allow_duplicate_badges": True})
    credly.fail(applied=True, status=504, operation="issue")
    send_passing(ada)
    deliver()

    assert len(credly.badges()) == 1
    assert credly.summary()["duplicate_issues"] == 0


def test_the_key_of_an_organization_may_come_from_the_settings(
    credly: CredlySimulator, organization: CredlyOrganization, template: CredlyBadgeTemplate, ada: Any, settings: Any
) -> None:
    organization.set_api_key("old and wrong")
    organization.save()
    send_passing(ada)
    deliver()
    assert Delivery.objects.get().state == "pending"

    settings.BADGES_CONFIG["credly"] |= {"ORGANIZATIONS": {str(organization.uuid): DEMO_KEY}}
    deliver()
    assert Delivery.objects.get().state == "done"


@pytest.fixture
def exact_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Credly find only addresses that are written exactly as it stores them."""

    def is_written_so(badge: Any, value: str) -> bool:
        return bool(badge.recipient_email == value)

    monkeypatch.setitem(listing.BADGE_FILTERS, "recipient_email_all", is_written_so)


@pytest.mark.usefixtures("exact_search")
@pytest.mark.parametrize("address", ["ada@example.org", "Ada@Example.org"])
def test_f15_a_badge_issued_by_hand_is_adopted_in_either_spelling(
    credly: CredlySimulator, organization: CredlyOrganization, template: CredlyBadgeTemplate, ada: Any, address: str
) -> None:
    ada.email = "Ada@Example.org"
    ada.save()
    by_hand = CredlyWorld(credly, organization, template).issue_by_hand(address)
    send_passing(ada)
    deliver()

    assert list(Delivery.objects.values_list("state", "external_id")) == [("done", by_hand)]


@pytest.mark.usefixtures("exact_search")
@pytest.mark.parametrize("address", ["ada@example.org", "ADA@EXAMPLE.ORG", "somebody.else@example.org"])
def test_f15_our_own_badge_is_found_by_its_earner_whatever_became_of_the_address(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any, address: str
) -> None:
    for other in UserFactory.create_batch(4):
        send_passing(other)
    deliver()
    ada.email = "Ada@Example.org"
    ada.save()
    send_passing(ada)
    [claimed] = claim(1, worker="doomed", lease=60, now=timezone.now(), policy=config().retry)
    carry_out(*prepare([claimed], config()))
    issued = credly.badges()[-1]
    issued.recipient_email = address
    let_time_pass()
    deliver()

    assert Delivery.objects.get(pk=claimed.pk).external_id == issued.id
    assert len(credly.requests("issue")) == 5


@pytest.mark.usefixtures("exact_search")
def test_f15_a_revocation_in_doubt_is_looked_up_in_lower_case(
    credly: CredlySimulator, organization: CredlyOrganization, template: CredlyBadgeTemplate, ada: Any
) -> None:
    ada.email = "Ada@Example.org"
    ada.save()
    send_passing(ada, minute=1)
    deliver()
    credly.badges()[0].recipient_email = "ada@example.org"
    CredlyWorld(credly, organization, template).lose_answers(Action.REVOKE)
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    assert Delivery.objects.get(action="revoke").state == "done"
    assert len(credly.requests("list_badges")) == 2
