"""Names as a provider wants them: two, neither empty, in any script."""

from __future__ import annotations

import pytest

from badges_plugin.distribution.data import Recipient
from badges_plugin.distribution.recipients import names, redacted


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


NO_NAMES = {
    "nothing": "",
    "an address": "ada@example.org",
    "an address with spaces": "ada @ example.org",
    "an address in wide letters": "ada\uff20example.org",
    "an address with a small sign": "ada\ufe6bexample.org",
    "an address in a link": "mailto:ada%40example.org",
    "a name with an address": "Ada Lovelace <ada@example.org>",
    "a link": "https://example.org/ada",
    "zero width": "\u200b\u200c\u200d\ufeff\u2060",
    "bidirectional controls": "\u202e\u2066\u2069\u200f\u061c",
    "Hangul fillers": "\u3164\u115f\u1160\uffa0",
    "blanks of all widths": "\u00a0\u2007\u202f\u3000\u2800",
    "a soft hyphen": "\u00ad",
    "variation selectors": "\ufe0f\U000e0100",
    "tags": "\U000e0041\U000e0042",
    "an accent without a letter": "\u0301",
    "halves of characters": "\ud83d",
    "dashes": "- -",
    "a full stop": ".",
    "a telephone number": "+49 30 123456",
}


@pytest.mark.parametrize("text", NO_NAMES.values(), ids=NO_NAMES.keys())
def test_c3_what_is_no_name_is_not_taken_for_one(text: str) -> None:
    assert names(full_name=text, first_name=text, last_name=text, username=text) == ("", "")
    assert names(full_name=text, first_name="", last_name="", username="ada_99") == ("ada_99", "-")
    assert names(full_name="", first_name=text, last_name="Lovelace", username="") == ("Lovelace", "-")


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        ("\u202eAda\u202c Love\u200blace", ("Ada", "Lovelace")),
        # Joiners, and the selectors of variants of Chinese characters, belong to what they stand beside.
        ("नेहा क्\u200dष", ("नेहा", "क्\u200dष")),
        ("\u8fba\U000e0101 \u82b1", ("\u8fba\U000e0101", "\u82b1")),
    ],
)
def test_c3_invisible_characters_are_no_part_of_a_name(full: str, expected: tuple[str, str]) -> None:
    assert names(full_name=full, first_name="", last_name="", username="") == expected


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        ("Müller, Jürgen", ("Jürgen", "Müller")),
        ("García Márquez,Gabriel José", ("Gabriel José", "García Márquez")),
        ("\u674e\uff0c\u660e", ("\u660e", "\u674e")),
        # What is empty, or no word, is no part of a name.
        ("Müller,", ("Müller", "-")),
        (", Jürgen", ("Jürgen", "-")),
        ("Müller, -", ("Müller", "-")),
        # What follows a name is not the first name.
        ("Martin Luther King, Jr.", ("Martin", "Luther King, Jr.")),
        ("King, Martin Luther, Jr.", ("Martin Luther", "King, Jr.")),
        ("King, Jr., Martin Luther", ("Martin Luther", "King, Jr.")),
        ("Ada Lovelace, PhD, MBA", ("Ada", "Lovelace, PhD, MBA")),
        ("Ada, Ph.D.", ("Ada", "Ph.D.")),
        ("Jr.", ("Jr.", "-")),
        # Nobody knows; no name ends with a comma at least.
        ("Lovelace, Ada, Augusta", ("Lovelace", "Ada Augusta")),
        (",", ("", "")),
    ],
)
def test_c4_a_comma_says_what_the_last_name_is(full: str, expected: tuple[str, str]) -> None:
    assert names(full_name=full, first_name="", last_name="", username="") == expected


def test_c4_the_separate_names_agree_with_a_full_name_that_has_a_comma() -> None:
    assert names(full_name="King, Jr., Martin", first_name="Martin", last_name="King, Jr.", username="") == (
        "Martin",
        "King, Jr.",
    )


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("422: Ada Lovelace already has it", "422: <name> already has it"),
        ("422: ADA LOVELACE has it", "422: <name> has it"),
        ("no badge for o'ada@example.org", "no badge for <email>"),
        ("GET /badges?filter=email::o%27ada%40example.org", "GET /badges?filter=email::<email>"),
        ("Adaptive learning", "Adaptive learning"),
    ],
)
def test_what_a_provider_says_about_the_learner_is_left_out(text: str, kept: str) -> None:
    person = Recipient(email="o'ada@example.org", first_name="Ada", last_name="Lovelace", earner_id="1")

    assert redacted(text, person) == kept
