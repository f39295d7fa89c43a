"""The life of a badge at the simulated Credly: duplicates, revocation, replacement, deletion, the learner's answer."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.credly import (
    DEMO_ORGANIZATION_ID,
    OTHER_KEY,
    OTHER_ORGANIZATION_ID,
    CredlySimulator,
)
from tests.sandbox.credly_simulator import FIRST_STEPS, REPEATABLE, Client, message

UNKNOWN = "99999999-0000-4000-8000-000000000000"


@pytest.fixture
def credly() -> Iterator[CredlySimulator]:
    with CredlySimulator() as simulator:
        yield simulator


@pytest.fixture
def client(credly: CredlySimulator) -> Iterator[Client]:
    client = Client(credly)
    with client.session:
        yield client


@pytest.mark.parametrize(
    ("changes", "is_duplicate"),
    [
        ({}, True),
        ({"recipient_email": "17@Example.COM", "issuer_earner_id": None}, True),  # addresses ignore case
        ({"recipient_email": "other@example.com"}, True),  # same earner
        ({"issuer_earner_id": "18"}, True),  # same address
        ({"issuer_earner_id": None}, True),  # same address
        ({"recipient_email": "other@example.com", "issuer_earner_id": None}, False),
        ({"recipient_email": "other@example.com", "issuer_earner_id": "18"}, False),
        ({"badge_template_id": REPEATABLE}, False),
    ],
)
def test_who_already_has_this_badge(
    credly: CredlySimulator, client: Client, changes: dict[str, Any], is_duplicate: bool
) -> None:
    assert client.issue().status_code == 201
    second = client.issue(**changes)
    assert second.status_code == (422 if is_duplicate else 201)
    if is_duplicate:
        assert "already has this badge" in message(second)
    assert credly.summary()["duplicates_refused"] == int(is_duplicate)
    assert credly.summary()["duplicate_issues"] == 0


def test_two_earners_without_an_id_are_two_earners(client: Client) -> None:
    assert client.issue(issuer_earner_id=None).status_code == 201
    assert client.issue(issuer_earner_id="", recipient_email="b@example.com").status_code == 201


def test_a_template_may_allow_duplicates_and_they_are_counted(credly: CredlySimulator, client: Client) -> None:
    statuses = [client.issue(badge_template_id=REPEATABLE).status_code for _ in range(3)]
    assert statuses == [201, 201, 201]
    assert credly.summary()["duplicate_issues"] == 2
    assert credly.summary()["held_twice"] == [["17", REPEATABLE]]


def test_revoking(credly: CredlySimulator, client: Client) -> None:
    badge_id = client.issue().json()["data"]["id"]
    revoked = client.revoke(badge_id, reason="Check bounced", suppress_revoke_notification_email=True)
    assert revoked.status_code == 200
    assert revoked.json()["data"]["state"] == "revoked"
    assert revoked.json()["data"]["revocation_reason"] == "Check bounced"
    assert client.revoke(badge_id).status_code == 422
    assert client.issue().status_code == 201, "a revoked badge is no duplicate"
    summary = credly.summary()
    assert summary["earners"] == {"17": {FIRST_STEPS: ["revoked", "pending"]}}
    assert (summary["revokes_applied"], summary["revokes_repeated"], summary["revokes_before_issue"]) == (1, 1, 0)


def test_revoking_what_was_never_issued_is_counted(credly: CredlySimulator, client: Client) -> None:
    assert client.revoke(UNKNOWN, reason="too early").status_code == 404
    assert credly.summary()["revokes_before_issue"] == 1


def test_a_badge_of_another_organization_is_unknown(credly: CredlySimulator, client: Client) -> None:
    badge_id = client.issue().json()["data"]["id"]
    stranger = Client(credly, OTHER_ORGANIZATION_ID)
    with stranger.session:
        stranger.session.auth = (OTHER_KEY, "")
        assert stranger.revoke(badge_id).status_code == 404
        assert stranger.get("/badges").json()["data"] == []


def test_a_replaced_badge_cannot_be_revoked(credly: CredlySimulator, client: Client) -> None:
    old = client.issue().json()["data"]["id"]
    replaced = client.replace(old, badge_template_id=REPEATABLE)
    assert replaced.status_code == 201
    new = replaced.json()["data"]
    assert (new["replaces_badge_id"], new["issued_to_first_name"]) == (old, "Ada")
    assert credly.badges(id=old)[0].replacement_badge_id == new["id"]
    assert client.revoke(old).status_code == 422
    assert client.replace(old).status_code == 422
    assert client.revoke(new["id"]).status_code == 200


def test_deleting(credly: CredlySimulator, client: Client) -> None:
    badge_id = client.issue().json()["data"]["id"]
    deleted = client.delete(badge_id)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.get("/badges").json()["data"] == [], "the connection is still in step"
    assert client.delete(badge_id).status_code == 404
    assert client.issue().status_code == 201


def test_every_change_of_a_badge_is_an_event(credly: CredlySimulator, client: Client) -> None:
    badge_id = client.issue().json()["data"]["id"]
    credly.accept(badge_id)
    client.revoke(badge_id)
    client.delete(badge_id)
    listed = client.get("/events").json()["data"]
    assert [(event["event_type"], event["badge"]["state"]) for event in listed] == [
        ("badge.deleted", "revoked"),
        ("badge.state.changed", "revoked"),
        ("badge.state.changed", "accepted"),
        ("badge.created", "pending"),
    ]
    detail = client.get(f"/events/{listed[0]['id']}").json()["data"]
    assert detail == listed[0]
    assert detail["organization_id"] == DEMO_ORGANIZATION_ID


def test_every_change_of_a_template_is_an_event(credly: CredlySimulator, client: Client) -> None:
    template = credly.world.add_template(DEMO_ORGANIZATION_ID, {"name": "Neu"})
    credly.world.change_template(template.id, {"name": "Newer", "state": "archived"})
    credly.world.delete_template(template.id)
    listed = client.get("/events", filter="event_type::badge_template.changed,badge_template.deleted").json()["data"]
    assert [(event["event_type"], event["badge_template"]["name"]) for event in listed] == [
        ("badge_template.deleted", "Newer"),
        ("badge_template.changed", "Newer"),
    ]
    assert client.get(f"/badge_templates/{template.id}").status_code == 404
    assert client.issue(badge_template_id=template.id).status_code == 422


@pytest.mark.parametrize(
    ("answer", "status", "state"), [("accept", 200, "accepted"), ("reject", 200, "rejected"), ("maybe", 400, "pending")]
)
def test_the_learner_answers_on_the_claim_page(
    credly: CredlySimulator, client: Client, answer: str, status: int, state: str
) -> None:
    url = client.issue(issued_to_first_name="<b>Ada</b>").json()["data"]["accept_badge_url"]
    page = requests.get(url, timeout=10)
    assert page.status_code == 200
    assert "First Steps" in page.text
    assert "<b>Ada" not in page.text
    assert requests.post(url, data={"answer": answer}, timeout=10).status_code == status
    assert [badge.state for badge in credly.badges()] == [state]


def test_an_answer_is_final(credly: CredlySimulator, client: Client) -> None:
    badge = client.issue().json()["data"]
    answers = [
        requests.post(badge["accept_badge_url"], data={"answer": answer}, timeout=10).status_code
        for answer in ("accept", "accept", "reject")
    ]
    assert answers == [200, 200, 409]
    client.revoke(badge["id"])
    assert requests.post(badge["accept_badge_url"], data={"answer": "accept"}, timeout=10).status_code == 409
    assert requests.get(credly.origin + "/go/nothing", timeout=10).status_code == 404
