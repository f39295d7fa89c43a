"""Names as a provider wants them: two, neither empty, in any script."""

from __future__ import annotations

import pytest

from badges_plugin.distribution.data import Recipient
from badges_plugin.distribution.people import names, redacted


@pytest.mark.parametrize(
    ("full", "first", "last", "expected"),
    [
        ("Ada Lovelace", "", "", ("Ada", "Lovelace")),
        # The separate names say where the full one splits.
        ("Gabriel José García Márquez", "Gabriel José", "García Márquez", ("Gabriel José", "García Márquez")),
        ("山田 太郎", "太郎", "山田", ("太郎", "山田")),
        # They contradict what the learner typed: the full name wins.
        ("Ada Lovelace", "Augusta", "King", ("Ada", "Lovelace")),
        ("", "Ada", "Lovelace", ("Ada", "Lovelace")),
        # The first word is the first name: what follows stays whole.
        ("Ludwig van Beethoven", "", "", ("Ludwig", "van Beethoven")),
        # Single names are names.
        ("Sukarno", "", "", ("Sukarno", "-")),
        ("山田太郎", "", "", ("山田太郎", "-")),
        ("", "Sukarno", "", ("Sukarno", "-")),
        ("", "", "Sukarno", ("Sukarno", "-")),
        # The wide space of Japanese, and what people paste.
        ("山田\u3000太郎", "", "", ("山田", "太郎")),
        ("  Ada \t\n Lovelace\x00 ", "", "", ("Ada", "Lovelace")),
        # Joiners belong to the script.
        ("नेहा क्\u200dष", "", "", ("नेहा", "क्\u200dष")),
        # One form for what looks the same.
        ("Jose\u0301 A", "", "", ("José", "A")),
        # Nothing at all: the user name is a name too.
        ("", "", "", ("ada_99", "-")),
        ("   ", " ", "\n", ("ada_99", "-")),
    ],
)
def test_names(full: str, first: str, last: str, expected: tuple[str, str]) -> None:
    assert names(full_name=full, first_name=first, last_name=last, username="ada_99") == expected


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("422: Ada Lovelace already has it", "422: <name> already has it"),
        ("422: ADA LOVELACE has it", "422: <name> has it"),
        ("no badge for o'ada@example.org", "no badge for <address>"),
        ("GET /badges?filter=email::o%27ada%40example.org", "GET /badges?filter=email::<address>"),
        ("Adaptive learning", "Adaptive learning"),
    ],
)
def test_what_a_provider_says_about_the_learner_is_left_out(text: str, kept: str) -> None:
    person = Recipient(email="o'ada@example.org", first_name="Ada", last_name="Lovelace", earner_id="1")

    assert redacted(text, person) == kept
