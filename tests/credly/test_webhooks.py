"""Credly's webhook and the poll that fills its gaps: only what Credly itself tells counts, once and in order."""

from __future__ import annotations

import uuid
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badges_plugin.distribution.accounts.payloads import UnexpectedReply
from badges_plugin.distribution.credly import checks, data
from badges_plugin.distribution.credly.checks import check_webhook, check_webhook_of_stored
from badges_plugin.distribution.credly.client import client_for
from badges_plugin.distribution.credly.events import apply_event
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate, CredlyEvent, CredlyOrganization
from badges_plugin.distribution.exceptions import TransientFailure
from badges_plugin.distribution.models import Delivery
from badges_plugin.doctor import Level
from badges_plugin.models import BadgeAward
from sandbox.credly import DEMO_ORGANIZATION_ID, OTHER_KEY, OTHER_ORGANIZATION_ID, CredlySimulator
from sandbox.credly import badges as at_credly
from tests.distribution.webhook_cases import WebhookCases
from tests.distribution.worlds import deliver, refuse_emojis
from tests.factories import send_passing


def notification(event: Any) -> dict[str, Any]:
    """What Credly posts about one of the simulator's events."""
    return {
        "id": event.id,
        "organization_id": event.organization_id,
        "event_type": event.event_type,
        "occurred_at": event.occurred_at,
    }


def last_event(credly: CredlySimulator) -> Any:
    return list(credly.world.events.values())[-1]


def notify(credly: CredlySimulator, event: Any = None, **changes: Any) -> int:
    body = {**notification(event or last_event(credly)), **changes}
    return Client().post("/credly-badges/api/webhook/", body, content_type="application/json").status_code


class CredlyHook:
    ids = ("id", "organization_id")

    def __init__(self, credly: CredlySimulator, template: CredlyBadgeTemplate, settings: Any) -> None:
        self.credly = credly
        self.template = template
        self.settings = settings
        self.url = reverse("credly_badges:webhook")
        self._names = iter(range(100))

    def good(self) -> dict[str, Any]:
        self.credly.world.change_template(str(self.template.uuid), {"name": f"Renamed {next(self._names)}"})
        return notification(last_event(self.credly))

    def outbound(self) -> int:
        return len(self.credly.requests())

    def state(self) -> object:
        templates = CredlyBadgeTemplate.objects.order_by("pk").values_list(
            "uuid", "name", "state", "is_active", "as_of"
        )
        return (list(templates), list(CredlyBadge.objects.order_by("pk").values_list("pk", "state", "external_id")))

    def use_secret(self, secret: str) -> str:
        self.settings.BADGES_CONFIG["credly"]["WEBHOOK_SECRET"] = secret
        return reverse("credly_badges:secret-webhook", args=[secret])

    def break_down(self) -> None:
        self.credly.faults.down = True

    def recover(self) -> None:
        self.credly.faults.down = False


class TestCredlyWebhook(WebhookCases):
    @pytest.fixture
    def hook(self, credly: CredlySimulator, template: CredlyBadgeTemplate, settings: Any) -> CredlyHook:
        return CredlyHook(credly, template, settings)


@pytest.fixture
def issued(credly: CredlySimulator, template: CredlyBadgeTemplate, ada: Any) -> Any:
    """Ada's badge at Credly."""
    send_passing(ada, minute=1)
    deliver()
    return credly.badges()[0]


def test_the_address_is_that_of_the_specification() -> None:
    assert reverse("credly_badges:webhook") == "/credly-badges/api/webhook/"


def test_an_unknown_organization_costs_no_request(credly: CredlySimulator, template: CredlyBadgeTemplate) -> None:
    credly.world.change_template(str(template.uuid), {"name": "Renamed"})
    before = len(credly.requests())

    assert notify(credly, organization_id=OTHER_ORGANIZATION_ID) == 404
    assert len(credly.requests()) == before


def test_an_unknown_event_is_refused(credly: CredlySimulator, template: CredlyBadgeTemplate) -> None:
    credly.world.change_template(str(template.uuid), {"name": "Renamed"})

    assert notify(credly, id=str(uuid.uuid4())) == 404
    assert not CredlyEvent.objects.exists()


def test_a_rejected_key_has_the_event_sent_again(credly: CredlySimulator, template: CredlyBadgeTemplate) -> None:
    credly.world.change_template(str(template.uuid), {"name": "Renamed"})
    credly.world.update_organization(DEMO_ORGANIZATION_ID, {"keys_rejected": True})

    assert notify(credly) == 503


def test_a_new_template_comes_inactive(credly: CredlySimulator, template: CredlyBadgeTemplate) -> None:
    new = credly.world.add_template(DEMO_ORGANIZATION_ID, {"name": "Brand New", "state": "active"})

    assert notify(credly) == 200
    row = CredlyBadgeTemplate.objects.get(uuid=new.id)
    assert (row.name, row.is_active, row.origin) == ("Brand New", False, "credly")


def test_a_changed_template_goes_on(credly: CredlySimulator, template: CredlyBadgeTemplate) -> None:
    credly.world.change_template(str(template.uuid), {"name": "Renamed", "description": "New words"})

    assert notify(credly) == 200
    template.refresh_from_db()
    assert (template.name, template.description, template.is_active) == ("Renamed", "New words", True)


def test_a_deleted_template_is_deactivated_with_everything_kept(
    credly: CredlySimulator, template: CredlyBadgeTemplate, issued: Any
) -> None:
    credly.world.delete_template(str(template.uuid))

    assert notify(credly) == 200
    template.refresh_from_db()
    assert (template.is_active, template.state, template.requirements.count()) == (False, "deleted", 1)
    assert CredlyBadge.objects.get().status == "awarded"


def test_the_type_in_the_notification_is_not_believed(credly: CredlySimulator, template: CredlyBadgeTemplate) -> None:
    credly.world.change_template(str(template.uuid), {"name": "Renamed"})

    assert notify(credly, event_type="badge_template.deleted") == 200
    template.refresh_from_db()
    assert (template.name, template.is_active) == ("Renamed", True)


def test_older_events_do_not_undo_newer_ones(credly: CredlySimulator, template: CredlyBadgeTemplate) -> None:
    credly.world.change_template(str(template.uuid), {"name": "Older"})
    older = last_event(credly)
    credly.world.change_template(str(template.uuid), {"name": "Newer"})
    assert notify(credly) == 200

    assert notify(credly, older) == 200
    template.refresh_from_db()
    assert template.name == "Newer"


@pytest.mark.parametrize(
    ("what", "state"), [("accept", "accepted"), ("reject", "rejected"), ("revoke", "revoked"), ("delete", "deleted")]
)
def test_what_happens_to_a_badge_at_credly_is_seen_here(
    credly: CredlySimulator, issued: Any, what: str, state: str
) -> None:
    match what:
        case "accept":
            credly.accept(issued.id)
        case "reject":
            credly.reject(issued.id)
        case "revoke":
            at_credly.revoke(credly.world, issued.organization_id, issued.id, {})
        case "delete":
            at_credly.delete(credly.world, issued.organization_id, issued.id)

    assert notify(credly) == 200
    assert (CredlyBadge.objects.get().state, CredlyBadge.objects.get().status) == (state, "awarded")


def test_a_revoked_badge_is_not_brought_back_by_a_late_event(credly: CredlySimulator, ada: Any, issued: Any) -> None:
    credly.accept(issued.id)
    accepted = last_event(credly)
    send_passing(ada, minute=2, is_passing=False)
    deliver()

    assert notify(credly, accepted) == 200
    assert CredlyBadge.objects.get().state == "revoked"


def test_an_event_that_is_faster_than_the_answer_waits(
    credly: CredlySimulator, issued: Any, organization: CredlyOrganization
) -> None:
    CredlyBadge.objects.update(external_id=None, state="created")
    Delivery.objects.update(external_id="", state="sending")
    credly.accept(issued.id)
    [accepted, *_] = list(client_for(organization).events())

    with pytest.raises(TransientFailure):
        apply_event(organization, accepted)
    assert notify(credly) == 503
    assert not CredlyEvent.objects.filter(uuid=accepted.id).exists()


def test_events_of_no_interest_are_accepted(credly: CredlySimulator, issued: Any) -> None:
    event = last_event(credly)
    event.event_type = "organization.something.new"

    assert notify(credly, event) == 200


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """The limits are in the cache, which tests share."""
    cache.clear()


@pytest.mark.parametrize(
    "nonsense",
    [
        {"id": "no uuid"},
        {"organization_id": OTHER_ORGANIZATION_ID},
        # The id of an organization is public.
        {"id": uuid.uuid4},
        {"id": uuid.UUID(int=1)},
    ],
    ids=["malformed", "unknown organization", "made-up events", "one made-up event"],
)
def test_f2_anonymous_posts_do_not_lock_credly_out(
    credly: CredlySimulator, template: CredlyBadgeTemplate, nonsense: dict[str, Any]
) -> None:
    credly.world.change_template(str(template.uuid), {"name": "Renamed"})
    genuine = last_event(credly)
    before = len(credly.requests())
    for _ in range(150):
        values = {name: str(value() if callable(value) else value) for name, value in nonsense.items()}
        assert notify(credly, genuine, **values) in {400, 404, 429}

    # Twenty questions, and a list now and then.
    assert len(credly.requests()) - before <= 26
    assert notify(credly, genuine) == 200
    template.refresh_from_db()
    assert template.name == "Renamed"


def test_f2_a_made_up_event_is_asked_for_once(credly: CredlySimulator, template: CredlyBadgeTemplate) -> None:
    credly.world.change_template(str(template.uuid), {"name": "Renamed"})
    made_up, before = str(uuid.uuid4()), len(credly.requests())

    assert {notify(credly, id=made_up) for _ in range(15)} == {404}
    assert len(credly.requests()) - before == 1


def test_f2_what_credly_confirms_is_not_limited(credly: CredlySimulator, template: CredlyBadgeTemplate) -> None:
    for number in range(40):
        credly.world.change_template(str(template.uuid), {"name": f"Name {number}"})
        assert notify(credly) == 200

    template.refresh_from_db()
    assert template.name == "Name 39"


def test_f2_the_events_of_one_organization_do_not_use_up_the_limit_of_another(
    credly: CredlySimulator, template: CredlyBadgeTemplate, settings: Any
) -> None:
    settings.BADGES_CONFIG["credly"]["ORGANIZATIONS"] = {OTHER_ORGANIZATION_ID: OTHER_KEY}
    CredlyOrganization.add_configured()
    credly.world.change_template(str(template.uuid), {"name": "Renamed"})
    for _ in range(30):
        notify(credly, id=str(uuid.uuid4()), organization_id=OTHER_ORGANIZATION_ID)
    before = len(credly.requests())

    assert notify(credly) == 200
    assert len(credly.requests()) - before == 1


@pytest.mark.parametrize(("secret", "ids"), [("", ["credly_badges.W003"]), ("s3cret", [])])
def test_f2_a_webhook_without_a_secret_is_named(
    organization: CredlyOrganization, settings: Any, secret: str, ids: list[str]
) -> None:
    settings.BADGES_CONFIG["credly"]["WEBHOOK_SECRET"] = secret
    assert [message.id for message in check_webhook_of_stored(None, databases=["default"])] == ids
    assert [finding.level for finding in checks.webhook()] == [Level.WARNING if ids else Level.OK]

    settings.BADGES_CONFIG["credly"]["ORGANIZATIONS"] = {OTHER_ORGANIZATION_ID: OTHER_KEY}
    [*messages] = check_webhook(None)
    assert [message.id for message in messages] == ids
    assert all("WEBHOOK_SECRET" in str(message.hint) for message in messages)


def test_f2_who_does_not_use_credly_is_not_bothered(credly: CredlySimulator, db: None) -> None:
    assert [*check_webhook(None), *check_webhook_of_stored(None, databases=["default"]), *checks.webhook()] == []


def poll() -> str:
    out = StringIO()
    call_command("poll_credly_events", stdout=out)
    return out.getvalue()


def test_the_poll_fills_the_gaps_in_order(credly: CredlySimulator, template: CredlyBadgeTemplate, issued: Any) -> None:
    for number in range(7):
        credly.world.change_template(str(template.uuid), {"name": f"Name {number}"})
    assert notify(credly) == 200
    credly.accept(issued.id)

    assert " 9 events seen, 8 applied, 0 left" in poll()
    template.refresh_from_db()
    assert (template.name, CredlyBadge.objects.get().state) == ("Name 6", "accepted")
    # The next one looks at the last hour again, and finds nothing new.
    assert " 0 applied, 0 left" in poll()


def test_the_poll_does_not_look_again_at_what_webhooks_have_brought(
    credly: CredlySimulator, template: CredlyBadgeTemplate
) -> None:
    for days in (9, 6, 3):
        credly.world.change_template(str(template.uuid), {"name": f"Name of {days} days ago"})
        last_event(credly).occurred_at = f"{timezone.now() - timedelta(days=days):%Y-%m-%dT%H:%M:%S.000Z}"
        assert notify(credly) == 200

    assert " 3 events seen, 0 applied, 0 left" in poll()
    assert " 1 events seen, 0 applied, 0 left" in poll()


def test_the_poll_comes_back_for_what_had_to_wait(credly: CredlySimulator, issued: Any) -> None:
    badge = issued.id
    CredlyBadge.objects.update(external_id=None, state="created")
    Delivery.objects.update(external_id="", state="sending")
    credly.accept(badge)
    assert " 0 applied, 2 left" in poll()

    CredlyBadge.objects.update(external_id=badge)
    Delivery.objects.update(external_id=badge, state="done")
    assert " 2 applied, 0 left" in poll()
    assert CredlyBadge.objects.get().state == "accepted"


def test_a_badge_that_credly_issued_after_we_had_given_it_up_is_revoked(credly: CredlySimulator, issued: Any) -> None:
    # As it stands when the award was revoked, the issue looked up and not found, and carried out only then.
    BadgeAward.objects.update(revoked_at=timezone.now())
    Delivery.objects.update(external_id="", state="cancelled")
    CredlyBadge.objects.update(external_id=None, state="created")

    assert notify(credly) == 200
    deliver()

    assert [badge.state for badge in credly.badges()] == ["revoked"]
    assert list(Delivery.objects.order_by("pk").values_list("action", "state")) == [
        ("issue", "done"),
        ("revoke", "done"),
    ]


def test_an_event_that_cannot_be_read_does_not_stop_the_poll(
    credly: CredlySimulator, template: CredlyBadgeTemplate
) -> None:
    credly.world.add_event("badge_template.changed", DEMO_ORGANIZATION_ID, "badge_template", {"name": "without an id"})
    credly.world.change_template(str(template.uuid), {"name": "Renamed"})

    assert " 1 applied, 0 left" in poll()
    template.refresh_from_db()
    assert template.name == "Renamed"


def test_an_event_that_the_database_never_takes_does_not_stop_the_poll(
    credly: CredlySimulator, template: CredlyBadgeTemplate
) -> None:
    credly.world.change_template(str(template.uuid), {"name": "Grinning \U0001f600"})
    new = credly.world.add_template(DEMO_ORGANIZATION_ID, {"name": "Brand New"})

    with connection.execute_wrapper(refuse_emojis):
        assert " 2 events seen, 1 applied, 0 left" in poll()
    assert CredlyBadgeTemplate.objects.filter(uuid=new.id).exists()


def test_an_event_from_the_future_does_not_stop_later_polls(
    credly: CredlySimulator, template: CredlyBadgeTemplate
) -> None:
    credly.world.change_template(str(template.uuid), {"name": "Renamed"})
    last_event(credly).occurred_at = "2099-01-01T00:00:00.000Z"
    assert " 1 applied" in poll()
    new = credly.world.add_template(DEMO_ORGANIZATION_ID, {"name": "Brand New"})

    assert " 1 applied" in poll()
    assert CredlyBadgeTemplate.objects.filter(uuid=new.id).exists()


@pytest.mark.parametrize("record", [None, [], "text", 1, {}, {"id": str(uuid.uuid4())}])
def test_what_is_no_event_is_an_unexpected_reply(record: object) -> None:
    with pytest.raises(UnexpectedReply):
        data.event(record)
