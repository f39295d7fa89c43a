"""The Credly backend against the simulator: the suite that every backend must pass, and what is Credly's own."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from badges_plugin.distribution.claims import claim
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.credly import backend
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.delivery import carry_out, prepare
from badges_plugin.distribution.models import Delivery, DeliveryAttempt
from badges_plugin.distribution.queueing import retry_now
from badges_plugin.host import User
from badges_plugin.models import BadgeAward
from sandbox.credly import DEMO_KEY, CredlySimulator, listing
from sandbox.credly import badges as at_credly
from tests.distribution.backend_cases import BackendCases
from tests.distribution.worlds import deliver, let_time_pass, settings_of_deliveries
from tests.factories import COURSE, UserFactory, at, send_passing


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
    assert (
        revoked.revocation_reason
        == BadgeAward.objects.get().reason
        == f"The grade in the course {COURSE} dropped below passing."
    )


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


def test_d2_a_badge_of_a_backfill_bears_the_date_of_the_file(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any, tmp_path: Path
) -> None:
    file = tmp_path / "past.csv"
    file.write_text(f"username,course_key,passed,time\n{ada.username},{COURSE},true,2023-05-01T10:00:00Z\n")
    call_command("badges_backfill", str(file), stdout=StringIO())
    deliver()
    [issued] = credly.badges()
    assert issued.issued_at.startswith("2023-05-01T10:00:00")
    assert CredlyBadge.objects.get().issued_at == datetime(2023, 5, 1, 10, tzinfo=UTC)


def test_d2_a_badge_that_is_earned_again_bears_the_second_date(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    # After an outage, all of it at once.
    for minute in (1, 2, 3):
        send_passing(ada, minute=minute, is_passing=minute != 2)
    deliver()
    assert [parse_datetime(badge.issued_at) for badge in credly.badges()] == [at(3)]


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("UTC", "2026-01-01 16:30:00 +0000"),
        ("Asia/Tokyo", "2026-01-02 01:30:00 +0900"),
        ("America/New_York", "2026-01-01 11:30:00 -0500"),
    ],
)
def test_d5_credly_is_told_the_day_of_the_site(settings: Any, zone: str, written: str) -> None:
    settings.TIME_ZONE = zone
    assert backend.format_time(at(16.5 * 60)) == written


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


def test_c1_a_retired_learners_badge_in_doubt_is_found_without_their_address(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    send_passing(ada)
    [taken] = claim(1, worker="gone", lease=60, now=timezone.now(), policy=config().retry)
    carry_out(*prepare([taken], config()))
    asked = len(credly.requests())
    User.objects.filter(pk=ada.pk).update(username="retired__user_1")
    let_time_pass()
    deliver()

    [badge] = credly.badges()
    issue = Delivery.objects.get()
    assert (issue.state, issue.external_id) == ("done", badge.id)
    assert [request.operation for request in credly.requests()[asked:]] == ["list_badges"]
    asked_for = str(credly.requests()[asked:]).casefold()
    # Not "ada" alone: the ids that are asked for are random, of digits and letters up to f.
    assert [word for word in (ada.email, "ada@", "lovelace") if word.casefold() in asked_for] == []
    assert CredlyBadge.objects.get().url == ""


def test_c1_the_address_to_accept_a_badge_goes_when_the_learner_is_retired(
    credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any
) -> None:
    send_passing(ada)
    deliver(chores=True)
    assert CredlyBadge.objects.get().url
    User.objects.filter(pk=ada.pk).update(username="retired__user_1")
    deliver(chores=True)

    assert CredlyBadge.objects.get().url == ""
    # By this somebody can ask Credly to delete it.
    assert str(CredlyBadge.objects.get().external_id) == credly.badges()[0].id


@pytest.mark.parametrize("is_ours", [True, False])
def test_c5_a_badge_in_the_way_is_said_to_be_whose_it_is(
    credly: CredlySimulator,
    organization: CredlyOrganization,
    template: CredlyBadgeTemplate,
    ada: Any,
    caplog: pytest.LogCaptureFixture,
    is_ours: bool,
) -> None:
    bob = UserFactory.create(username="bob", email=ada.email, full_name="Bob Babbage")
    send_passing(ada)
    deliver()
    mine = BadgeAward.objects.get(progress__user=ada)
    if not is_ours:
        # As another site would have issued it that shares the organization.
        [badge] = credly.badges()
        badge.issuer_earner_id = str(uuid4())
    send_passing(bob)
    deliver()

    failed = Delivery.objects.get(state="failed")
    assert failed.award.user == bob
    assert failed.in_the_way == (mine if is_ours else None)
    assert (f"award {mine.pk} of user {ada.pk}" in failed.last_error) is is_ours
    assert ("somebody unknown here" in failed.last_error) is not is_ours
    told = caplog.text + failed.last_error + str(DeliveryAttempt.objects.values_list("reason"))
    assert not [word for word in (ada.email, "Lovelace", "Babbage") if word in told]

    page = staff_client().get(f"/admin/badges_distribution/delivery/{failed.pk}/change/").content.decode()
    assert ("ada: " in page) is is_ours

    User.objects.filter(pk=bob.pk).update(email="bob@example.org")
    retry_now(Delivery.objects.filter(pk=failed.pk))
    deliver()
    failed.refresh_from_db()
    assert (failed.state, failed.in_the_way) == ("done", None)


def staff_client() -> Client:
    client = Client()
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    return client


def test_replies_about_several_badges_are_written_together(template: CredlyBadgeTemplate) -> None:
    # One statement for those with a URL, one for those without, which keep theirs.
    for learner in UserFactory.create_batch(4):
        send_passing(learner)
    first, second, third, _other = CredlyBadge.objects.order_by("pk").values_list("pk", flat=True)
    CredlyBadge.objects.update(url="https://credly.example/before")
    ids = {pk: uuid4() for pk in (first, second, third)}
    replies = {pk: {"external_id": str(external_id), "state": "pending"} for pk, external_id in ids.items()}
    replies[first] |= {"url": "https://credly.example/1"}
    replies[second] |= {"url": "https://credly.example/2", "state": "accepted"}

    with CaptureQueriesContext(connection) as queries:
        CredlyBadge.note(replies)

    assert len(queries) == 2
    rows = CredlyBadge.objects.order_by("pk").values_list("external_id", "state", "url")
    assert [(external_id, state, url.rpartition("/")[2]) for external_id, state, url in rows] == [
        (ids[first], "pending", "1"),
        (ids[second], "accepted", "2"),
        (ids[third], "pending", "before"),
        (None, "created", "before"),
    ]
