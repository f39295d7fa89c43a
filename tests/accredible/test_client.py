"""What the many shapes of Accredible's replies mean."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from badges_plugin.distribution.accounts.payloads import UnexpectedReply
from badges_plugin.distribution.accredible.client import error_message
from badges_plugin.distribution.accredible.data import CredentialState, credential, group

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
