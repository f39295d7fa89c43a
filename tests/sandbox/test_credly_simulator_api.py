"""The simulated Credly API answers as the real one is known to."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.credly import (
    DEMO_KEY,
    DEMO_ORGANIZATION_ID,
    OTHER_KEY,
    CredlySimulator,
)
from tests.sandbox.credly_simulator import (
    ARCHIVED,
    DRAFT,
    FIRST_STEPS,
    FOREIGN_TEMPLATE,
    Client,
    message,
)

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
    ("authorization", "status"),
    [
        (None, 401),
        ("Bearer " + DEMO_KEY, 401),
        ("Basic not-base64!", 401),
        ("Basic " + base64.b64encode(b"\xff\xfe:").decode(), 401),  # not UTF-8
        ("Basic " + base64.b64encode(DEMO_KEY.encode()).decode(), 401),  # the colon is missing
        ("Basic " + base64.b64encode(b"wrong:").decode(), 401),
        ("Basic " + base64.b64encode(f"{DEMO_KEY}:{DEMO_KEY}".encode()).decode(), 401),  # the password is not empty
        ("Basic " + base64.b64encode(f"{OTHER_KEY}:".encode()).decode(), 403),  # a good key of somebody else
        ("Basic " + base64.b64encode(f"{DEMO_KEY}:".encode()).decode(), 200),
        ("basic " + base64.b64encode(f"{DEMO_KEY}:".encode()).decode(), 200),
    ],
)
def test_authorization(credly: CredlySimulator, authorization: str | None, status: int) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    url = f"{credly.url}organizations/{DEMO_ORGANIZATION_ID}"
    assert requests.get(url, headers=headers, timeout=10).status_code == status


def test_a_rejected_or_rotated_key_stops_working_at_once(credly: CredlySimulator, client: Client) -> None:
    credly.world.update_organization(DEMO_ORGANIZATION_ID, {"keys_rejected": True})
    assert client.issue().status_code == 401
    credly.world.update_organization(DEMO_ORGANIZATION_ID, {"keys_rejected": False})
    assert client.get().status_code == 200
    client.session.auth = (credly.world.rotate_key(DEMO_ORGANIZATION_ID), "")
    assert client.get().status_code == 200
    client.session.auth = (DEMO_KEY, "")
    assert client.get().status_code == 401


@pytest.mark.parametrize(("key", "name"), [(DEMO_KEY, "Open Learning Institute"), (OTHER_KEY, "Académie des Métiers")])
def test_a_key_lists_its_own_organizations_only(credly: CredlySimulator, key: str, name: str) -> None:
    listed = requests.get(credly.url + "organizations", auth=(key, ""), timeout=10).json()
    assert [organization["name"] for organization in listed["data"]] == [name]
    assert listed["metadata"]["total_count"] == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"organizations/{UNKNOWN}", 404),
        ("GET", f"organizations/{UNKNOWN}/badges", 404),
        ("GET", f"organizations/{DEMO_ORGANIZATION_ID}/badge_templates/{FOREIGN_TEMPLATE}", 404),
        ("GET", f"organizations/{DEMO_ORGANIZATION_ID}/events/{UNKNOWN}", 404),
        ("GET", f"organizations/{DEMO_ORGANIZATION_ID}/badges?page=0", 400),
        ("GET", f"organizations/{DEMO_ORGANIZATION_ID}/badges?page=x", 400),
        ("GET", f"organizations/{DEMO_ORGANIZATION_ID}/badges/{UNKNOWN}", 405),
        ("DELETE", "organizations", 405),
        ("GET", "nothing", 404),
    ],
)
def test_paths_that_lead_nowhere(credly: CredlySimulator, method: str, path: str, status: int) -> None:
    response = requests.request(method, credly.url + path, auth=(DEMO_KEY, ""), timeout=10)
    assert response.status_code == status
    assert message(response)


def test_an_issued_badge_comes_back_whole(credly: CredlySimulator, client: Client) -> None:
    response = client.issue(locale="fr", evidence=[{"type": "UrlEvidence", "value": "https://example.com/1"}])
    badge = response.json()["data"]
    assert response.status_code == 201
    assert badge["state"] == "pending"
    assert badge["issued_to"] == "Ada Lovelace"
    assert badge["issued_at"] == "2014-04-01T14:41:00.000Z"
    assert badge["issuer_earner_id"] == "17"
    assert badge["expires_at"] is None
    assert badge["badge_template"]["id"] == FIRST_STEPS
    assert badge["evidence"][0]["value"] == "https://example.com/1"
    assert badge["accept_badge_url"].startswith(credly.origin)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Łukasz", "Żółć"),
        ("小明", "王"),
        ("محمد", "علي"),
        ("Zoë\u0301", "O\u2019Brien"),
        ("👩🏽\u200d🚀", "X Æ A-12"),
        ("\ud800", "half a surrogate pair"),
    ],
)
def test_names_in_any_script_survive(client: Client, first: str, last: str) -> None:
    badge = client.issue(issued_to_first_name=first, issued_to_last_name=last).json()["data"]
    assert (badge["issued_to_first_name"], badge["issued_to_last_name"]) == (first, last)
    assert client.get("/badges").json()["data"][0]["issued_to"] == f"{first} {last}"


@pytest.mark.parametrize(
    ("changes", "at_fault"),
    [
        ({"recipient_email": ""}, "recipient_email"),
        ({"recipient_email": None}, "recipient_email"),
        ({"recipient_email": "   "}, "recipient_email"),
        ({"recipient_email": "ada"}, "recipient_email"),
        ({"recipient_email": "ada@localhost"}, "recipient_email"),
        ({"recipient_email": "a@b.example, c@d.example"}, "recipient_email"),
        ({"recipient_email": ["ada@example.com"]}, "recipient_email"),
        ({"issued_to_first_name": ""}, "issued_to_first_name"),
        ({"issued_to_last_name": "\u3000"}, "issued_to_last_name"),  # a blank of another script
        ({"issued_to_last_name": "x" * 256}, "issued_to_last_name"),
        ({"issued_to_last_name": 7}, "issued_to_last_name"),
        ({"badge_template_id": None}, "badge_template_id"),
        ({"badge_template_id": UNKNOWN}, "badge_template_id"),
        ({"badge_template_id": FOREIGN_TEMPLATE}, "badge_template_id"),
        ({"issued_at": ""}, "issued_at"),
        ({"issued_at": "yesterday"}, "issued_at"),
        ({"issued_at": "2024-13-01 00:00:00 +0000"}, "issued_at"),
        ({"issued_at": "0001-01-01T00:00:00+14:00"}, "issued_at"),  # before the first year in UTC
        ({"expires_at": "never"}, "expires_at"),
        ({"expires_at": "2014-04-01 09:41:00 -0500"}, "expires_at"),
        ({"locale": "tlh"}, "locale"),
        ({"evidence": {"type": "UrlEvidence"}}, "evidence"),
        ({"suppress_badge_notification_email": "yes"}, "suppress_badge_notification_email"),
    ],
)
def test_a_badge_with_a_faulty_attribute_is_refused(
    credly: CredlySimulator, client: Client, changes: dict[str, Any], at_fault: str
) -> None:
    response = client.issue(**changes)
    assert response.status_code == 422
    assert at_fault in message(response)
    assert [error["attribute"] for error in response.json()["data"]["errors"]] == [at_fault]
    assert credly.badges() == []
    assert credly.summary()["events"] == 0


@pytest.mark.parametrize("template", [DRAFT, ARCHIVED])
def test_only_an_active_template_issues(client: Client, template: str) -> None:
    response = client.issue(badge_template_id=template)
    assert response.status_code == 422
    assert "template" in message(response)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_a_bad_request(client: Client, body: bytes) -> None:
    assert client.session.post(f"{client.base}/badges", data=body, timeout=10).status_code == 400


def test_an_enormous_body_is_not_read(client: Client) -> None:
    assert client.session.post(f"{client.base}/badges", data=b" " * (1 << 20) + b"{}", timeout=10).status_code == 413


@pytest.mark.parametrize(
    ("issued_at", "stored"),
    [
        ("2014-04-01 09:41:00 -0500", "2014-04-01T14:41:00.000Z"),
        ("2014-04-01T14:41:00Z", "2014-04-01T14:41:00.000Z"),
        ("2014-04-01T14:41:00.123456+00:00", "2014-04-01T14:41:00.123Z"),
        ("2014-04-01T14:41:00", "2014-04-01T14:41:00.000Z"),
    ],
)
def test_times_are_kept_in_utc(client: Client, issued_at: str, stored: str) -> None:
    assert client.issue(issued_at=issued_at).json()["data"]["issued_at"] == stored


@pytest.mark.parametrize(
    ("expires_at", "stored"), [(None, None), (False, None), ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z")]
)
def test_expiry(client: Client, expires_at: Any, stored: str | None) -> None:
    assert client.issue(expires_at=expires_at).json()["data"]["expires_at"] == stored
