"""The simulator misbehaves on demand, and its journal tells what was really done."""

import base64
import datetime as dt
import itertools
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.credly import DEMO_KEY, DEMO_ORGANIZATION_ID, OTHER_ORGANIZATION_ID, CredlySimulator, Fault
from sandbox.credly.faults import Faults, RateLimit
from sandbox.credly.refusals import Refused
from tests.sandbox.credly_simulator import issue, poll


@pytest.fixture
def credly() -> Iterator[CredlySimulator]:
    with CredlySimulator() as simulator:
        yield simulator


@pytest.mark.parametrize(
    ("fault", "outcome", "issued"),
    [
        ({"status": 500}, 500, 0),
        ({"status": 502}, 502, 0),
        ({"status": 401}, 401, 0),
        ({"status": 504, "applied": True}, 504, 1),
        ({"manner": "drop"}, requests.ConnectionError, 0),
        ({"manner": "drop", "applied": True}, requests.ConnectionError, 1),
        ({"manner": "hang", "hold": 30}, requests.ReadTimeout, 0),
        ({"manner": "hang", "hold": 30, "applied": True}, requests.ReadTimeout, 1),
        ({"manner": "hang", "hold": 0.0, "applied": True}, requests.ConnectionError, 1),
    ],
)
def test_what_the_client_gets_and_what_was_done_are_two_things(
    credly: CredlySimulator, fault: dict[str, Any], outcome: int | type[Exception], issued: int
) -> None:
    credly.fail(**fault)
    if isinstance(outcome, int):
        assert issue(credly.url).status_code == outcome
    else:
        with pytest.raises(outcome):
            issue(credly.url, timeout=0.3)
        # On a slow machine the client may give up before the simulator has read the request.
        poll(lambda: len(credly.requests("issue")) == 1)
    assert len(credly.badges()) == issued
    summary = credly.summary()
    assert (summary["faults"], summary["issues_applied"], summary["applied_without_answer"]) == (1, issued, issued)
    # The fault is used up: a repeat is done, or refused as the duplicate it is.
    assert issue(credly.url).status_code == (422 if issued else 201)
    assert [entry.applied for entry in credly.requests("issue")] == [bool(issued), not issued]


@pytest.mark.parametrize("retry_after", ["7", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_too_many_requests_says_when_to_come_back(credly: CredlySimulator, retry_after: str) -> None:
    credly.fail(status=429, retry_after=retry_after)
    refused = issue(credly.url)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, retry_after)
    assert "Retry-After" not in issue(credly.url).headers


@pytest.mark.parametrize(
    ("fault", "requests_made", "hits"),
    [
        (Fault(times=2), [("issue", "A")] * 4, 2),
        (Fault(times=None), [("issue", "A")] * 4, 4),
        (Fault(times=0), [("issue", "A")], 0),
        (Fault(probability=0.0, times=None), [("issue", "A")] * 50, 0),
        (Fault(operation="revoke"), [("issue", "A"), ("revoke", "A"), ("revoke", "A")], 1),
        (Fault(organization_id="B", times=None), [("issue", "A"), ("issue", "B"), ("issue", None)], 1),
    ],
)
def test_whom_a_fault_hits(fault: Fault, requests_made: list[tuple[str, str | None]], hits: int) -> None:
    faults = Faults()
    faults.add(fault)
    chosen = [faults.choose(operation, organization) for operation, organization in requests_made]
    assert len([hit for hit in chosen if hit is not None]) == hits == fault.hits


def test_chance_is_repeatable() -> None:
    def pattern(seed: int) -> list[bool]:
        faults = Faults(seed=seed)
        faults.add(Fault(times=None, probability=0.5))
        return [faults.choose("issue", None) is not None for _ in range(100)]

    assert pattern(1) == pattern(1) != pattern(2)
    assert 20 < sum(pattern(1)) < 80


@pytest.mark.parametrize(
    "wrong", [{"probability": 2}, {"manner": "explode"}, {"unheard_of": 1}, {"hits": 3}, {"operation": "isue"}]
)
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        Fault.read(wrong)


def test_rate_limit_counts_in_windows() -> None:
    now = 100.0
    limit = RateLimit(requests=2, seconds=10)
    assert [limit.retry_after(now) for _ in range(3)] == [None, None, 10]
    assert limit.retry_after(now + 9.5) == 1
    assert limit.retry_after(now + 10) is None


def test_a_limited_service_answers_429(credly: CredlySimulator) -> None:
    credly.limit_rate(1, seconds=10_000_000)
    assert [issue(credly.url, earner).status_code for earner in ("1", "2")] == [201, 429]
    assert credly.summary()["issues_applied"] == 1


def test_faults_of_one_organization_leave_the_others_alone(credly: CredlySimulator) -> None:
    credly.fail(status=503, times=None, organization_id=OTHER_ORGANIZATION_ID)
    assert issue(credly.url).status_code == 201


def test_while_down_every_connection_is_dropped_but_control_works(credly: CredlySimulator) -> None:
    with credly.down():
        with pytest.raises(requests.ConnectionError):
            issue(credly.url)
        assert requests.get(credly.origin + "/_control/health", timeout=10).json() == {"ok": True}
    assert issue(credly.url).status_code == 201
    assert [entry.answer for entry in credly.requests()] == ["drop", "201"]


def test_stopped_refuses_and_started_again_remembers(credly: CredlySimulator) -> None:
    url = credly.url
    with requests.Session() as session:
        session.auth = (DEMO_KEY, "")
        assert session.get(url + "organizations", timeout=10).status_code == 200
        issue(credly.url)
        credly.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(url + "organizations", timeout=10)
        credly.start()
        assert credly.url == url
        assert session.get(url + "organizations", timeout=10).status_code == 200
    assert len(credly.badges()) == 1


def test_stopping_cuts_off_a_request_that_waits(credly: CredlySimulator) -> None:
    credly.slow_down(60)
    outcome: list[str] = []

    def wait_for_an_answer() -> None:
        try:
            issue(credly.url, timeout=120)
        except requests.ConnectionError:
            outcome.append("cut off")

    client = threading.Thread(target=wait_for_an_answer)
    client.start()
    poll(lambda: credly.connections == 1)
    credly.stop()
    client.join(10)
    assert outcome == ["cut off"]
    assert credly.badges() == []


def test_a_client_that_dies_while_sending_has_asked_for_nothing(credly: CredlySimulator) -> None:
    badge_id = issue(credly.url).json()["data"]["id"]
    key = base64.b64encode(f"{DEMO_KEY}:".encode()).decode()
    head = (
        f"PUT /v1/organizations/{DEMO_ORGANIZATION_ID}/badges/{badge_id}/revoke HTTP/1.1\r\n"
        f"Host: credly\r\nAuthorization: Basic {key}\r\nContent-Length: 20\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", urlsplit(credly.url).port or 0)) as connection:
        connection.sendall(head.encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert [badge.state for badge in credly.badges()] == ["pending"]


def test_latency_is_added_to_every_request(credly: CredlySimulator) -> None:
    credly.slow_down(0.2)
    started = time.monotonic()
    issue(credly.url)
    assert time.monotonic() - started >= 0.2
    credly.behave()
    assert credly.faults.delay() == 0


def test_sixteen_clients_at_once_and_nothing_is_lost_or_doubled(credly: CredlySimulator) -> None:
    # Every badge is asked for by two clients; one of them is told that it exists.
    with ThreadPoolExecutor(16) as pool:
        statuses = Counter(pool.map(lambda n: issue(credly.url, str(n % 100)).status_code, range(200)))
    assert statuses == {201: 100, 422: 100}
    summary = credly.summary()
    assert (summary["issues_applied"], summary["duplicate_issues"], summary["held_twice"]) == (100, 0, [])
    assert [entry.number for entry in credly.requests()] == list(range(1, 201))


def test_the_same_seed_clock_and_ids_tell_the_same_story() -> None:
    def story() -> list[Any]:
        numbers = itertools.count(1)
        moments = (dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=n) for n in itertools.count())
        simulator = CredlySimulator(new_id=lambda: uuid.UUID(int=next(numbers)), clock=lambda: next(moments))
        with simulator:
            issue(simulator.url)
            issue(simulator.url)
            return [vars(badge) for badge in simulator.badges()] + simulator.requests()

    assert story() == story()
