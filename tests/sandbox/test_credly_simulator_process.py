"""The simulator as a process: what the demo and the drills see."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.credly import DEMO_ORGANIZATION_ID, CredlySimulator
from sandbox.credly.remote import ControlError, CredlyControl, CredlyProcess
from tests.sandbox.credly_simulator import FIRST_STEPS, issue


@pytest.fixture
def credly() -> Iterator[CredlySimulator]:
    with CredlySimulator() as simulator:
        yield simulator


@pytest.fixture
def control(credly: CredlySimulator) -> CredlyControl:
    return CredlyControl(credly.url)


def test_a_killed_process_remembers_what_it_answered(tmp_path: Path) -> None:
    state = str(tmp_path / "credly.jsonl")
    with CredlyProcess("--state", state) as first:
        assert issue(first.url).status_code == 201
        first.kill()
    with (tmp_path / "credly.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"kind": "badge", "rec')  # torn by the kill
    with CredlyProcess("--state", state) as second:
        assert issue(second.url).status_code == 422
        assert second.summary()["issues_applied"] == 1
        second.accept(second.badges()[0]["id"])
        assert second.stop() == 0
    with CredlyProcess("--state", state) as third:
        assert third.summary()["states"] == {"accepted": 1}
        assert [entry["answer"] for entry in third.journal()] == ["201", "422"]
        third.call("POST", "reset")
        assert third.summary()["badges"] == 0


def test_a_process_that_cannot_start_says_so(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="exit code"):
        CredlyProcess("--seed", str(tmp_path / "missing.json"))


def test_a_seed_of_ones_own(tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text('{"organizations": [{"id": "o", "name": "Únicos", "keys": ["k"]}]}', encoding="utf-8")
    with CredlyProcess("--seed", str(seed)) as credly:
        listed = requests.get(credly.url + "organizations", auth=("k", ""), timeout=10).json()
    assert [organization["name"] for organization in listed["data"]] == ["Únicos"]


def test_misbehaviour_by_remote_control(credly: CredlySimulator, control: CredlyControl) -> None:
    control.fail(status=502)
    assert issue(credly.url).status_code == 502
    control.set_down(down=True)
    with pytest.raises(requests.ConnectionError):
        issue(credly.url)
    control.slow_down(0.01, jitter=0.01)
    control.call("POST", "rate_limit", {"requests": 1})
    state = control.call("GET", "faults")
    assert (state["down"], state["latency"], state["rate_limit"]["requests"]) == (True, 0.01, 1)
    control.behave()
    assert issue(credly.url).status_code == 201


def test_staff_and_learners_by_remote_control(credly: CredlySimulator, control: CredlyControl) -> None:
    control.change_organization(DEMO_ORGANIZATION_ID, keys_rejected=True)
    assert issue(credly.url).status_code == 401
    key = control.rotate_key(DEMO_ORGANIZATION_ID)
    badges = [issue(credly.url, str(number), key=key).json()["data"]["id"] for number in range(3)]
    control.accept(badges[0])
    control.reject(badges[1])
    control.call("POST", f"badges/{badges[2]}/revoke", {"reason": "by hand"})
    assert [row["state"] for row in control.badges()] == ["accepted", "rejected", "revoked"]
    assert [row["id"] for row in control.badges(state="revoked")] == [badges[2]]
    control.call("PATCH", f"badge_templates/{FIRST_STEPS}", {"state": "archived"})
    assert issue(credly.url, "4", key=key).status_code == 422
    created = control.call("POST", f"organizations/{DEMO_ORGANIZATION_ID}/badge_templates", {"name": "Новый"})
    assert created["owner"]["id"] == DEMO_ORGANIZATION_ID
    control.call("DELETE", f"badge_templates/{created['id']}")
    organization = control.call("POST", "organizations", {"name": "Third"})
    assert len(organization["keys"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "nothing", None),
        ("GET", "journal?since=x", None),
        ("POST", "faults", {"unheard_of": 1}),
        ("POST", "latency", {"seconds": "long"}),
        ("POST", "rate_limit", {"seconds": 3}),
        ("POST", "organizations", {"unheard_of": 1}),
        ("PATCH", f"organizations/{DEMO_ORGANIZATION_ID}", {"id": "other"}),
        ("PATCH", "badge_templates/unknown", {}),
        ("POST", "badges/unknown/accept", {}),
        ("POST", "events/unknown/send", {}),
        ("POST", "webhooks", {"unheard_of": 1}),
    ],
)
def test_a_wrong_control_request_is_refused_with_a_reason(
    control: CredlyControl, method: str, path: str, body: dict[str, Any] | None
) -> None:
    with pytest.raises(ControlError, match="message"):
        control.call(method, path, body)
