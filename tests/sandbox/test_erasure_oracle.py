"""The oracle of the drill *erased* finds what was sent and what is kept, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.drills.erasure_oracle import Arrived, Person, examine, kept, mentions

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ADA = Person(1, "ada", "ada@example.org", "Ada Lovelace", frozenset({"earner-1"}), frozenset({"badge-1"}), NOON)
LIVING = Person(2, "bob", "bob@example.org", "Bob Babbage", frozenset({"earner-2"}))


@pytest.mark.parametrize(
    ("seconds", "text", "changes", "found"),
    [
        # seconds after the retirement, what arrived, whether it asks for a change: under way, looked up, wrong
        (-1, "issue ada@example.org", True, (0, 0, 0)),
        (1, "issue ada@example.org", True, (1, 0, 0)),
        (9, "issue ada@example.org", True, (0, 0, 1)),
        (9, "GET /badges?filter=email%3A%3Aada%40example.org", False, (0, 0, 1)),
        (9, '{"name": "ada lovelace"}', True, (0, 0, 1)),
        (9, "PUT /badges/badge-1/revoke", True, (0, 0, 1)),
        (9, "GET /credentials/openedx-earner-1-1", False, (0, 1, 0)),
        (9, "GET /badges?filter=badge_template_id", False, (0, 0, 0)),
        (9, "issue bob@example.org", True, (0, 0, 0)),
        (9, "issue nevada@example.org", True, (0, 0, 0)),
    ],
)
def test_what_was_sent(seconds: float, text: str, changes: bool, found: tuple[int, int, int]) -> None:
    sent = examine([ADA, LIVING], [Arrived(NOON + timedelta(seconds=seconds), "request", text, changes)])
    assert (sent.under_way, sent.looked_up, len(sent.wrong)) == found


def test_what_is_kept() -> None:
    rows = [("a.Delivery", "1 | to_ada ADA"), ("a.Award", "1 | for Ada Lovelace"), ("a.Other", "nevada | bob")]
    assert {found.split()[0] for found in kept([ADA, LIVING], rows)} == {"a.Delivery", "a.Award"}
    assert list(kept([LIVING], rows)) == []


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("to: zoe-0001@example.org", "zoe-0001", True),
        ("zoe-00011", "zoe-0001", False),
        ("chloe-zoe-0001", "zoe-0001", False),
        ("ZOE-0001", "zoe-0001", True),
    ],
)
def test_a_part_of_a_longer_word_is_no_mention(text: str, word: str, expected: bool) -> None:
    assert mentions(text, word) is expected
