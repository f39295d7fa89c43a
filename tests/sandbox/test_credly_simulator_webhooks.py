"""The simulator posts events to webhook URLs, and insists until it hears 200."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sandbox.credly import DEMO_ORGANIZATION_ID, CredlySimulator
from sandbox.credly.remote import CredlyControl
from sandbox.credly.webhooks import Schedule
from tests.sandbox.credly_simulator import FIRST_STEPS, poll


class Receiver:
    """A webhook endpoint that answers with the statuses it is given, then with 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.bodies: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?secret=1"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def credly(receiver: Receiver) -> Iterator[CredlySimulator]:
    with CredlySimulator(webhooks=Schedule(first_gap=0.01, growth=1.5, attempts=4)) as simulator:
        simulator.world.update_organization(DEMO_ORGANIZATION_ID, {"webhook_url": receiver.url})
        yield simulator


def postings(credly: CredlySimulator) -> list[dict[str, Any]]:
    return list(credly.webhooks.describe()["postings"])


def settled(credly: CredlySimulator) -> bool:
    return all(posting["state"] != "waiting" for posting in postings(credly))


def test_an_event_is_posted_as_a_reference(credly: CredlySimulator, receiver: Receiver) -> None:
    credly.world.change_template(FIRST_STEPS, {"name": "Renamed"})
    poll(lambda: bool(postings(credly)) and settled(credly))
    (event,) = credly.world.events.values()
    assert receiver.bodies == [
        {
            "id": event.id,
            "organization_id": DEMO_ORGANIZATION_ID,
            "event_type": "badge_template.changed",
            "occurred_at": event.occurred_at,
        }
    ]


@pytest.mark.parametrize(
    ("statuses", "attempts", "state"),
    [
        ([], 1, "received"),
        ([503], 2, "received"),
        ([204, 301, 404], 4, "received"),  # only 200 will do
        ([500, 500, 500, 500], 4, "given up"),
    ],
)
def test_anything_but_200_is_tried_again(
    credly: CredlySimulator, receiver: Receiver, statuses: list[int], attempts: int, state: str
) -> None:
    receiver.statuses = list(statuses)
    credly.world.change_template(FIRST_STEPS, {"name": "Renamed"})
    poll(lambda: bool(postings(credly)) and settled(credly))
    (posting,) = postings(credly)
    assert (posting["attempts"], posting["state"]) == (attempts, state)
    assert len(receiver.bodies) == attempts


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://127.0.0.1:nonsense/", "https://[", "no url at all"])
def test_a_url_that_leads_nowhere_is_given_up(credly: CredlySimulator, url: str) -> None:
    credly.world.update_organization(DEMO_ORGANIZATION_ID, {"webhook_url": url})
    credly.world.change_template(FIRST_STEPS, {"name": "Renamed"})
    poll(lambda: bool(postings(credly)) and settled(credly))
    assert postings(credly)[0]["state"] == "given up"


@pytest.mark.parametrize(
    ("changes", "enabled"),
    [({"webhook_url": None}, True), ({"allowed_webhooks": ["badge.created"]}, True), ({}, False)],
)
def test_nothing_is_posted_unless_it_is_wanted(
    credly: CredlySimulator, receiver: Receiver, changes: dict[str, Any], enabled: bool
) -> None:
    credly.world.update_organization(DEMO_ORGANIZATION_ID, changes)
    credly.webhooks.enabled = enabled
    credly.world.change_template(FIRST_STEPS, {"name": "Renamed"})
    assert postings(credly) == []
    assert len(credly.world.events) == 1


def test_an_event_can_be_sent_again_on_demand(credly: CredlySimulator, receiver: Receiver) -> None:
    control = CredlyControl(credly.url)
    control.call("POST", "webhooks", {"enabled": False})
    credly.world.change_template(FIRST_STEPS, {"name": "Renamed"})
    (event_id,) = credly.world.events
    for _ in range(2):
        control.call("POST", f"events/{event_id}/send")
    poll(lambda: len(postings(credly)) == 2 and settled(credly))
    assert [body["id"] for body in receiver.bodies] == [event_id, event_id]


@pytest.mark.parametrize(("attempt", "gap"), [(1, 1.0), (2, 3.0), (3, 9.0), (4, None)])
def test_gaps_grow(attempt: int, gap: float | None) -> None:
    assert Schedule(first_gap=1.0, growth=3.0, attempts=4).gap(attempt) == gap
