"""The Accredible backend against the simulator: the suite every backend must pass, and what is Accredible's own."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from badges_plugin import api as core
from badges_plugin.distribution import deciding, registry
from badges_plugin.distribution.accredible.client import client_for
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleBadge, AccredibleGroup
from badges_plugin.distribution.claims import claim
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.delivery import carry_out, prepare
from badges_plugin.distribution.models import Delivery
from badges_plugin.host import User
from badges_plugin.models import BadgeAward
from sandbox.accredible import DEMO_KEY, AccredibleSimulator, api
from sandbox.accredible.records import World
from tests.accredible.conftest import GROUP
from tests.distribution.backend_cases import BackendCases
from tests.distribution.worlds import deliver, let_time_pass
from tests.factories import UserFactory, at, send_passing

OPERATIONS = {Action.ISSUE: ("issue", "issue_many"), Action.REVOKE: ("expire",)}


def issue_by_hand(config: AccredibleApiConfig, email: str, **values: object) -> str:
    """Issue as somebody else would, with the same key."""
    recipient = {"name": "By Hand", "email": email}
    return client_for(config).issue({"recipient": recipient, "group_id": GROUP, "approve": True, **values}).id


class AccredibleWorld:
    """The simulator as the inherited suite wants it."""

    def __init__(self, simulator: AccredibleSimulator, template: AccredibleGroup) -> None:
        self.simulator = simulator
        self.template = template

    def live(self) -> list[str]:
        return [str(credential.id) for credential in self.simulator.credentials() if credential.is_alive]

    def gone(self) -> list[str]:
        return [str(credential.id) for credential in self.simulator.credentials() if not credential.is_alive]

    def calls(self, action: Action) -> int:
        return sum(self.simulator.asked.count(operation) for operation in OPERATIONS[action])

    def lose_answers(self, action: Action) -> None:
        for operation in OPERATIONS[action]:
            self.simulator.fail(applied=True, manner="drop", operation=operation)

    def lose_requests(self, action: Action) -> None:
        for operation in OPERATIONS[action]:
            self.simulator.fail(applied=False, manner="drop", operation=operation)

    def break_down(self) -> None:
        self.simulator.fail(status=503, times=None)

    def throttle(self, seconds: int) -> None:
        self.simulator.fail(status=429, retry_after=str(seconds))

    def recover(self) -> None:
        self.simulator.behave()

    def reject_key(self) -> None:
        self.simulator.world.keys.pop(DEMO_KEY)

    def change_key(self) -> None:
        self.simulator.world.keys["another-key"] = "demo"
        self.template.api_config.set_api_key("another-key")
        self.template.api_config.save()

    def issue_by_hand(self, email: str) -> str:
        return issue_by_hand(self.template.api_config, email)


class TestAccredibleBackend(BackendCases):
    @pytest.fixture
    def world(self, accredible: AccredibleSimulator, group: AccredibleGroup) -> AccredibleWorld:
        return AccredibleWorld(accredible, group)


def test_what_is_sent_and_what_is_kept(accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any) -> None:
    send_passing(ada)
    deliver()

    [issued] = accredible.credentials()
    award, badge = BadgeAward.objects.get(), AccredibleBadge.objects.get()
    assert issued.license_id == f"openedx-{award.credential.uuid}-1"
    assert issued.recipient == {"name": "Ada Lovelace", "email": "ada@example.org"}
    assert (issued.group_id, issued.name, issued.issued_on) == (GROUP, "Data Science Explorer", award.awarded_at.date())
    assert (badge.external_id, badge.state, badge.issued_at) == (str(issued.id), "published", award.awarded_at)
    assert badge.url == f"https://www.credential.net/{issued.id}"
    assert (badge.pk, badge.username, badge.status) == (award.credential_id, "ada", "awarded")
    assert registry.get("accredible").badge_url(award) == badge.url
    AccredibleBadge.objects.update(state="unpublished")
    assert registry.get("accredible").badge_url(award) == ""


def test_a_revoked_credential_stays_and_has_expired(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    send_passing(ada, minute=1)
    deliver()
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    [expired] = accredible.credentials()
    assert expired.expired_on == datetime.now(UTC).date()
    assert (AccredibleBadge.objects.get().state, AccredibleBadge.objects.get().status) == ("expired", "revoked")


def test_a_single_name_is_sent_alone(accredible: AccredibleSimulator, group: AccredibleGroup) -> None:
    send_passing(UserFactory.create(full_name="Plato"))
    deliver()

    assert [credential.recipient["name"] for credential in accredible.credentials()] == ["Plato"]


def test_a_group_without_course_name_has_its_credentials_named(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    accredible.world.groups[GROUP].course_name = ""
    AccredibleGroup.objects.update(course_name="")
    send_passing(ada)
    deliver()

    assert [credential.name for credential in accredible.credentials()] == ["Data Science Explorer"]


def test_without_credits_the_badge_is_issued_and_not_published(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    accredible.world.credits = 0
    send_passing(ada)
    deliver()

    assert (Delivery.objects.get().state, AccredibleBadge.objects.get().state) == ("done", "unpublished")


@pytest.mark.parametrize(
    ("values", "adopted"),
    [
        ({}, True),
        ({"id": "HR-7"}, True),
        # A credential of this plugin, at another site or for another earner with the same address.
        ({"id": "openedx-3b0f9a0e-8d5a-4a53-9a0e-2f6e0a7b1c2d-1"}, False),
    ],
)
def test_whose_credentials_are_adopted(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any, values: dict[str, str], adopted: bool
) -> None:
    existing = issue_by_hand(group.api_config, ada.email.upper(), **values)
    send_passing(ada)
    deliver()

    [delivery] = Delivery.objects.all()
    assert (delivery.state, delivery.external_id) == (("done", existing) if adopted else ("failed", ""))
    assert adopted or "duplicate" in delivery.last_error


def test_an_expired_credential_is_not_adopted(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    expired = issue_by_hand(group.api_config, ada.email, expired_on=yesterday)
    send_passing(ada)
    deliver()

    assert Delivery.objects.get().external_id not in {"", expired}


def test_where_expired_ones_count_as_duplicates_staff_are_told_what_to_do(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    accredible.world.groups[GROUP].duplicates = "one ever"
    for minute in (1, 2, 3):
        send_passing(ada, minute=minute, is_passing=minute != 2)
        deliver()

    failed = Delivery.objects.get(award__number=2)
    assert (failed.state, "allow duplicates" in failed.last_error) == ("failed", True)


def test_a_credential_that_was_deleted_at_accredible_counts_as_revoked(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    send_passing(ada, minute=1)
    deliver()
    accredible.world.credentials.clear()
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    assert Delivery.objects.get(action="revoke").state == "done"
    assert AccredibleBadge.objects.get().state == "deleted"


def test_the_key_of_a_configuration_may_come_from_the_settings(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any, settings: Any
) -> None:
    group.api_config.set_api_key("old and wrong")
    group.api_config.save()
    send_passing(ada)
    deliver()
    assert Delivery.objects.get().state == "pending"

    settings.BADGES_CONFIG["accredible"] |= {"API_KEYS": {"Demo": DEMO_KEY}}
    deliver()
    assert Delivery.objects.get().state == "done"


@pytest.mark.parametrize("zone", ["Pacific/Niue", "UTC", "Pacific/Kiritimati"])
def test_d5_days_are_those_of_the_site(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any, settings: Any, zone: str
) -> None:
    settings.TIME_ZONE = zone
    send_passing(ada, minute=12 * 60)
    deliver()
    [issued] = accredible.credentials()
    assert issued.issued_on == at(12 * 60).astimezone(ZoneInfo(zone)).date()

    send_passing(ada, minute=13 * 60, is_passing=False)
    deliver()
    assert issued.expired_on == datetime.now(ZoneInfo(zone)).date()
    assert AccredibleBadge.objects.get().state == "expired"


def test_d2_a_late_delivery_bears_the_date_of_the_event(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    accredible.fail(status=503, times=3)
    send_passing(ada, minute=-3 * 365 * 24 * 60)
    for _ in range(5):
        deliver()
    [issued] = accredible.credentials()
    assert issued.issued_on == date(2023, 1, 2)


@pytest.mark.parametrize("address", ["ada@example.org", "Ada@Example.org"])
def test_f15_a_credential_issued_by_hand_is_adopted_in_either_spelling(
    accredible: AccredibleSimulator,
    group: AccredibleGroup,
    ada: Any,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
) -> None:
    monkeypatch.setattr(api, "_same", lambda value, wanted: str(value) == str(wanted))
    ada.email = "Ada@Example.org"
    ada.save()
    existing = issue_by_hand(group.api_config, address)
    send_passing(ada)
    deliver()

    assert list(Delivery.objects.values_list("state", "external_id")) == [("done", existing)]


def test_f15_our_own_credential_is_found_by_its_reference_whatever_became_of_the_address(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As where a credential can be had by Accredible's own id alone.
    monkeypatch.setattr(World, "by_any_id", lambda self, account, identity: None)
    send_passing(ada)
    [claimed] = claim(1, worker="doomed", lease=60, now=timezone.now(), policy=config().retry)
    carry_out(*prepare([claimed], config()))
    [issued] = accredible.credentials()
    issued.recipient["email"] = "somebody.else@example.org"
    let_time_pass()
    deliver()

    assert list(Delivery.objects.values_list("state", "external_id")) == [("done", str(issued.id))]
    assert accredible.asked.count("issue") == 1


def test_c1_a_retired_learners_credential_in_doubt_is_found_without_their_address(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    send_passing(ada)
    [taken] = claim(1, worker="gone", lease=60, now=timezone.now(), policy=config().retry)
    carry_out(*prepare([taken], config()))
    User.objects.filter(pk=ada.pk).update(username="retired__user_1")
    let_time_pass()
    asked = len(accredible.asked)
    deliver()

    [credential] = accredible.credentials()
    issue = Delivery.objects.get()
    assert (issue.state, issue.external_id) == ("done", str(credential.id))
    assert accredible.asked[asked:] == ["get"]
    assert AccredibleBadge.objects.get().url == ""


def test_c5_a_credential_in_the_way_is_said_to_be_whose_it_is(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    send_passing(ada)
    send_passing(UserFactory.create(username="bob", email=ada.email, full_name="Bob Babbage"))
    deliver(concurrency=1)

    failed = Delivery.objects.get(state="failed")
    assert failed.in_the_way is not None
    assert failed.in_the_way.user == ada
    assert f"of user {ada.pk}" in failed.last_error
    assert ada.email not in failed.last_error


def test_a_backlog_is_issued_in_bulk(accredible: AccredibleSimulator, group: AccredibleGroup) -> None:
    users = [UserFactory.create(full_name=f"Lea Learner {number}") for number in range(33)]
    for user in users:
        send_passing(user)
    deliver(concurrency=1)

    assert Counter(accredible.asked)["issue_many"] == 2
    assert "issue" not in accredible.asked
    issued = {str(each.id): (each.license_id, each.recipient["email"]) for each in accredible.credentials()}
    assert issued == {
        row.external_id: (f"openedx-{row.award.credential.uuid}-1", row.award.user.email)
        for row in Delivery.objects.all()
    }
    assert set(AccredibleBadge.objects.values_list("state", flat=True)) == {"published"}


@pytest.mark.parametrize("others", [0, 1])
def test_a_badge_earned_again_says_in_bulk_too_what_may_be_in_its_way(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any, others: int
) -> None:
    accredible.world.groups[GROUP].duplicates = "one ever"
    for minute in (1, 2):
        send_passing(ada, minute=minute, is_passing=minute != 2)
        deliver()
    send_passing(ada, minute=3)
    for user in UserFactory.create_batch(others + 1):
        send_passing(user)
    deliver(concurrency=1)

    failed = Delivery.objects.get(award__number=2)
    assert (failed.state, "allow duplicates" in failed.last_error) == ("failed", True)
    assert Delivery.objects.filter(state="done", action="issue").count() == others + 2


def test_bulk_requests_can_be_switched_off(
    accredible: AccredibleSimulator, group: AccredibleGroup, settings: Any
) -> None:
    settings.BADGES_CONFIG["accredible"]["BULK_SIZE"] = 1
    for user in UserFactory.create_batch(3):
        send_passing(user)
    deliver(concurrency=1)

    assert accredible.asked.count("issue") == 3


@pytest.mark.parametrize("answer_is_lost", [False, True])
def test_what_was_revoked_by_mistake_is_the_same_credential_again(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any, answer_is_lost: bool
) -> None:
    send_passing(ada)
    deliver()
    award = BadgeAward.objects.get()
    core.revoke_award(award, reason="Wrong course")
    deliver()
    assert not accredible.credentials()[0].is_alive
    if answer_is_lost:
        accredible.fail(applied=True, manner="drop", operation="expire")

    core.give_back(award, reason="My mistake")
    let_time_pass()
    deliver()
    let_time_pass()
    deliver()
    [credential] = accredible.credentials()
    assert credential.is_alive
    assert credential.expired_on is None
    assert accredible.asked.count("issue") == 1
    badge = AccredibleBadge.objects.get()
    assert (str(badge.external_id), badge.state) == (str(credential.id), "published")

    # And it ends as any other.
    core.revoke_award(BadgeAward.objects.latest("number"), reason="After all")
    deliver()
    assert not accredible.credentials()[0].is_alive


def test_a_credential_that_is_gone_is_issued_anew(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    send_passing(ada)
    deliver()
    award = BadgeAward.objects.get()
    core.revoke_award(award, reason="Wrong course")
    deliver()
    accredible.world.credentials.clear()
    core.give_back(award)
    deliver()
    [credential] = accredible.credentials()
    assert credential.is_alive


@pytest.mark.parametrize("answer_is_lost", [False, True])
def test_a_corrected_name_is_given_to_the_same_credential(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any, answer_is_lost: bool
) -> None:
    send_passing(ada)
    deliver()
    before = accredible.credentials()[0]
    known = (before.id, before.recipient["email"], before.expired_on, before.license_id)
    ada.full_name, ada.email = "Ada King", "king@example.org"
    ada.save()
    if answer_is_lost:
        accredible.fail(applied=True, manner="drop", operation="expire")
    assert deciding.send_name(BadgeAward.objects.get(), by=UserFactory.create())
    for _ in range(2):
        deliver()
        let_time_pass()
    [credential] = accredible.credentials()
    # The address is the learner's own affair at the provider.
    assert credential.recipient["name"] == "Ada King"
    assert (credential.id, credential.recipient["email"], credential.expired_on, credential.license_id) == known
    assert Delivery.objects.get(action="correct").state == "done"


def test_the_name_of_a_credential_that_is_gone_cannot_be_corrected(
    accredible: AccredibleSimulator, group: AccredibleGroup, ada: Any
) -> None:
    send_passing(ada)
    deliver()
    accredible.world.credentials.clear()
    deciding.send_name(BadgeAward.objects.get(), by=UserFactory.create())
    deliver()
    assert "does not have the credential any more" in Delivery.objects.get(action="correct").last_error
