"""What the many shapes of Accredible's replies mean."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from badges_plugin.distribution.accounts.payloads import UnexpectedReply
from badges_plugin.distribution.accredible.client import AccredibleClient, error_message
from badges_plugin.distribution.accredible.data import CredentialState, credential, group
from badges_plugin.distribution.api import HttpClient
from badges_plugin.distribution.exceptions import DeliveryFailure, PermanentFailure
from sandbox.accredible.server import Server
from sandbox.credly.wire import json_reply

TODAY = date(2026, 6, 15)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, ""),
        ("HTTP Token: Access denied.", ""),
        ({"errors": "Doesn't exist"}, "Doesn't exist"),
        ({"error": "Not found"}, "Not found"),
        ({"success": False, "data": "Credential not found"}, "Credential not found"),
        ({"errors": {"recipient.email": ["is invalid", "is short"]}}, "recipient.email is invalid, is short"),
        ({"code": 400, "message": "Bad query", "status": "error", "errors": ["a", "b"]}, "Bad query; a, b"),
        ({"errors": [{"detail": "x"}, 7]}, ""),
    ],
)
def test_error_messages(body: Any, words: str) -> None:
    assert error_message(body) == words


@pytest.mark.parametrize(
    ("record", "state"),
    [
        ({"approve": True, "expired_on": None}, CredentialState.PUBLISHED),
        ({"approve": False}, CredentialState.UNPUBLISHED),
        ({}, CredentialState.UNKNOWN),
        ({"approve": True, "expired_on": "2026-06-16"}, CredentialState.PUBLISHED),
        ({"approve": True, "expired_on": "2026-06-15"}, CredentialState.EXPIRED),
        ({"approve": False, "expired_on": "2025-01-01T00:00:00.000Z"}, CredentialState.EXPIRED),
        ({"approve": True, "expired_on": "2026-02-31"}, CredentialState.PUBLISHED),
        ({"approve": "yes", "expired_on": 5}, CredentialState.UNKNOWN),
    ],
)
def test_states_of_credentials(record: dict[str, Any], state: CredentialState) -> None:
    assert credential({"id": 1, **record}).state(TODAY) is state


@pytest.mark.parametrize("record", [None, [], {}, {"id": None}, {"id": "x"}, {"id": True}, {"id": "9" * 50}])
def test_records_without_an_id_are_refused(record: Any) -> None:
    for read in (credential, group):
        with pytest.raises(UnexpectedReply):
            read(record)


@pytest.mark.parametrize(
    ("record", "group_id", "email"),
    [
        ({"group_id": 7, "recipient": {"email": "a@example.org"}}, 7, "a@example.org"),
        ({"group": {"id": "7"}, "recipient_email": "a@example.org"}, 7, "a@example.org"),
        ({"group": None, "recipient": None}, None, ""),
    ],
)
def test_places_of_group_and_address(record: dict[str, Any], group_id: int | None, email: str) -> None:
    read = credential({"id": "12", **record})
    assert (read.id, read.group_id, read.recipient_email) == ("12", group_id, email)


def made(number: int, reference: str | None) -> Any:
    return {"credential": {"id": number, "license_id": reference, "approve": True}}


def refused(code: Any, *details: str) -> Any:
    return {"error": {"code": code, "message": "Invalid", "details": list(details)}}


DOUBT = "TransientFailure in doubt"


@pytest.mark.parametrize(
    ("status", "reply", "outcomes"),
    [
        (200, {"results": [made(1, "a"), made(2, "b")]}, ["1", "2"]),
        # The reference counts, not the place.
        (200, {"results": [made(2, "b"), made(1, "a")]}, ["1", "2"]),
        # Without references, the place counts if there is a result for each.
        (200, {"results": [made(1, None), made(2, None)]}, ["1", "2"]),
        (200, {"results": [made(1, None)]}, [DOUBT, DOUBT]),
        (200, {"results": [made(2, "b")]}, [DOUBT, "2"]),
        (200, {"results": [made(1, "a"), made(3, "c")]}, ["1", DOUBT]),
        (207, {"results": [made(1, "a"), refused(422, "email is invalid")]}, ["1", "PermanentFailure"]),
        (207, {"results": [refused("invalid"), made(2, "b")]}, ["PermanentFailure", "2"]),
        (207, {"results": [made(1, "a"), refused(422, "email has already been taken")]}, ["1", "AlreadyIssued"]),
        (207, {"results": [made(1, "a"), refused(500)]}, ["1", DOUBT]),
        (207, {"results": [made(1, "a"), refused(429)]}, ["1", "TransientFailure"]),
        # Refused, all of them: the status says so, and the results why.
        (422, {"results": [refused(422), refused(422)]}, ["PermanentFailure", "PermanentFailure"]),
        # Nothing that says what became of them.
        (200, {"results": [None, {"credential": "?"}]}, [DOUBT, DOUBT]),
        (200, {}, [DOUBT, DOUBT]),
        (200, [], [DOUBT, DOUBT]),
    ],
)  # fmt: skip
def test_answers_to_a_bulk_request(status: int, reply: Any, outcomes: list[str]) -> None:
    with Server(("127.0.0.1", 0), lambda request: json_reply(reply, status)) as server:
        client = AccredibleClient(HttpClient(server.origin, describe=error_message))
        answers = client.issue_many([{"id": "a"}, {"id": "b"}])

    assert [described(answer) for answer in answers] == outcomes


@pytest.mark.parametrize("reply", [{"errors": "too many"}, {"results": []}])
def test_a_bulk_request_that_is_refused_as_a_whole(reply: Any) -> None:
    with Server(("127.0.0.1", 0), lambda request: json_reply(reply, 422)) as server:
        client = AccredibleClient(HttpClient(server.origin, describe=error_message))
        with pytest.raises(PermanentFailure):
            client.issue_many([{"id": "a"}, {"id": "b"}])


def described(answer: Any) -> str:
    if not isinstance(answer, DeliveryFailure):
        return str(answer.id)
    return f"{type(answer).__name__} in doubt" if answer.ambiguous else type(answer).__name__
