"""What is taken over from Credly's JSON, and what is not."""

from __future__ import annotations

from uuid import UUID

import pytest

from badges_plugin.distribution.credly import data

ID = "5e0a1c00-0000-4000-8000-000000000001"
LONGEST = "https://credly.example/" + "x" * 477


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://credly.example/claim/1", "https://credly.example/claim/1"),
        (LONGEST, LONGEST),
        # No column holds it; the badge is recorded without it.
        (f"{LONGEST}x", ""),
        # Links in the admin and in e-mails lead there.
        ("javascript:alert(1)", ""),
        ("//credly.example/claim/1", ""),
        ("", ""),
    ],
)
def test_addresses_that_links_may_lead_to(address: str, kept: str) -> None:
    assert data.badge({"id": ID, "accept_badge_url": address}).accept_badge_url == kept
    assert data.template({"id": ID, "image_url": address}).image_url == kept


def test_a_text_holds_nothing_that_a_database_refuses() -> None:
    record = data.template({"id": ID, "name": "Ma\x00th \ud83d", "description": "\x00"})

    assert (record.id, record.name, record.description) == (UUID(ID), "Math ", "")
