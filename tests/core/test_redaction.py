"""What of others' words is kept, logged or printed: no address, no name beside one, and never a second line."""

from __future__ import annotations

import logging
import re
import unicodedata
from pathlib import Path

import pytest

from badges_plugin.consumers.exceptions import Undecodable
from badges_plugin.consumers.message import Message
from badges_plugin.distribution import exceptions
from badges_plugin.distribution.data import Recipient
from badges_plugin.distribution.recipients import redacted
from badges_plugin.doctor import Finding
from badges_plugin.logs import get_logger
from badges_plugin.redaction import (
    MAX_LINE_LENGTH,
    describe,
    describe_with_traceback,
    one_line,
    without_emails,
)

PACKAGE = Path(__file__).resolve().parents[2] / "badges_plugin"

HOSTILE = [
    "1\n2026-01-01 ERROR root: forged",
    "1\r\nforged",
    "\x1b[2J\x1b[31mforged\x1b[0m",
    "\0forged",
    "forged\x85by\u2028all\u2029who\x0bbreak\x0clines\x1c",
    "\u202egnp.exe",  # turns the rest of the line around
    "\ud800half a character",
    "\x9b31m",  # the escape of terminals in one character
]


@pytest.mark.parametrize("text", HOSTILE)
def test_f3_a_text_of_others_stays_within_its_line(text: str) -> None:
    shown = one_line(text)

    assert len(shown.splitlines()) == 1
    assert shown.isprintable()
    shown.encode()


@pytest.mark.parametrize("text", ["Grüße aus Zürich", "日本語", "می‌خواهم", "prix : 5 €", "\\n is no line break", ""])
def test_f3_what_people_write_stays_as_it_is(text: str) -> None:
    assert one_line(text) == text


def test_f3_what_is_very_long_is_cut_and_says_so() -> None:
    assert one_line("x" * 10**6) == "x" * MAX_LINE_LENGTH + "… (1000000 characters)"


def fail(text: str) -> None:
    raise Undecodable(text)


def message(event_id: str, event_type: str = "t") -> Message:
    return Message(
        bus="kafka",
        topic="t",
        group="g",
        position="0:1",
        event_id=event_id,
        event_type=event_type,
        headers={},
        value=b"",
        decode=lambda: fail("no event"),  # type: ignore[arg-type,return-value]
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_f3_a_record_of_ours_is_one_line_whatever_is_in_it(text: str, caplog: pytest.LogCaptureFixture) -> None:
    logger = get_logger("badges_plugin.test_of_the_logger")
    logger.error("Applied %s for %s", message(text, text), text)
    logger.error("Type %r", text)
    logger.error("By name %(name)s", {"name": text})
    logger.error(text)  # as clients of a bus do
    logger.error("An error: %s", ValueError(text))
    try:
        fail(f"No event type {text}")
    except Undecodable:
        logger.exception("Raised")

    lines = [logging.Formatter().format(record) for record in caplog.records]
    assert [len(line.splitlines()) for line in lines] == [1] * 6
    assert "No event type" in lines[-1]


def test_f3_a_header_without_end_hides_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    get_logger("badges_plugin.test_of_the_logger").error("Stored %s: %s", message("x" * 10**6), "the reason")

    assert len(caplog.text) < 1000
    assert "(kafka t 0:1): the reason" in caplog.text


def test_f3_numbers_stay_numbers(caplog: pytest.LogCaptureFixture) -> None:
    get_logger("badges_plugin.test_of_the_logger").error("%d of %.1f, %s", 3, 4.25, None)

    assert "3 of 4.2, None" in caplog.text


def test_f3_every_logger_of_ours_is_one_of_these() -> None:
    """A filter of a logger is not its children's: each module must have its own."""
    made_otherwise = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if path.name != "logs.py" and re.search(r"getLogger\((__name__|\"badges_plugin)", path.read_text("utf-8"))
    ]
    assert made_otherwise == []


def test_f3_errors_findings_and_reasons_are_one_line() -> None:
    text = "a\nb\x1b[0m"
    try:
        fail(text)
    except Undecodable as error:
        described = [describe(error), describe_with_traceback(error)]
    finding = Finding.error(text, text)

    said = [*described, finding.what, finding.advice, exceptions.PermanentFailure(text).reason]
    assert [len(each.splitlines()) for each in said] == [1] * 5
    assert "in fail < " in described[1]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        # As they are written every day.
        ("422: ada@example.org has it", "422: <email> has it"),
        ("mailto:ADA@EXAMPLE.ORG", "mailto:<email>"),
        ("'ada@example.org', o'brien@example.org.", "'<email>', <email>"),
        ("a@b.c, d@e.f;g@h.i", "<email>, <email>;<email>"),
        ("ada@[192.0.2.1] no", "<email> no"),
        # With the name of their owner.
        ('"Ada L" <a@b.c> has it', "<name> <<email>> has it"),
        ("Error: “Ada L” <a@b.c>", "Error: <name> <<email>>"),
        ("The learner Ludwig van Beethoven (l@b.de) has", "The learner <name> (<email>) has"),
        ("Lovelace, Ada <ada@x.org>", "<name> <<email>>"),
        ("李雷 <l@x.cn>", "<name> <<email>>"),
        ("it is taken by <a@b.c>", "it is taken by <<email>>"),
        # Quoted in the sense of RFC 5322, and with a comment.
        ('"ada l"@example.org', "<email>"),
        ("ada(work)@example.org", "<email>"),
        # Escaped: in URLs, also twice; in JSON; in HTML.
        ("ada%40example.org", "<email>"),
        ("email=ADA%40EXAMPLE.ORG&name=Ada+L is", "<email> is"),
        ("ada%2540example.org", "<email>"),
        ("%22Ada%20L%22%20%3Cada%40example.org%3E", "<email>"),
        (r'{"email":"ada\u0040example.org","x":1}', '{"email":"<email>","x":1}'),
        (r'"Ada L" \u003cada\u0040example.org\u003e', "<name> <email>"),
        ("Ada Lovelace &lt;ada&#64;example.org&gt;", "<name> &lt;<email>;"),
        # In any script.
        ("ädä@exämple.рф", "<email>"),
        ("ada＠example.org", "<email>"),  # noqa: RUF001
        # And what is none.
        ("@handle, a @ b, 5 %", "@handle, a @ b, 5 %"),
        ('"email" is missing (HTTP 422)', '"email" is missing (HTTP 422)'),
        ("status=404 Ada Lovelace", "status=404 Ada Lovelace"),
    ],
)
def test_f11_addresses_and_the_names_beside_them_are_left_out(text: str, kept: str) -> None:
    assert without_emails(text) == kept
    assert exceptions.redacted(text) == kept


@pytest.mark.parametrize("around", ["{}", "x {} y", '"{}"', "<{}>", "({})", "to:{};", "'{}'", "“{}”", "[{}]", "{}, {}"])
@pytest.mark.parametrize(
    "address", ["ada.lovelace@example.org", "ada.lovelace%40example.org", r"ada.lovelace\u0040example.org"]
)
@pytest.mark.parametrize("change", [str, str.upper])
def test_f11_whatever_is_around_it_nothing_of_an_address_stays(around: str, address: str, change: type[str]) -> None:
    text = around.replace("{}", change(address) if "u0040" not in address else address)
    assert "lovelace" not in without_emails(text).lower()


@pytest.mark.parametrize(
    "spelled",
    [
        "Jürgen Müller",
        "JÜRGEN MÜLLER",
        "Müller, Jürgen",
        "J%C3%BCrgen%20M%C3%BCller",
        "j%c3%bcrgen+m%c3%bcller",
        "J%25C3%25BCrgen%2520M%25C3%25BCller",
        r"J\u00fcrgen M\u00fcller",
        "J&uuml;rgen M&#252;ller",
        unicodedata.normalize("NFD", "Jürgen Müller"),
    ],
)
def test_f11_the_learner_is_left_out_however_the_name_is_spelled(spelled: str) -> None:
    person = Recipient(email="j@example.org", first_name="Jürgen", last_name="Müller", earner_id="1")
    assert redacted(f"422: {spelled} has it", person) == "422: <name> has it"


@pytest.mark.parametrize("text", ["a@" * 10**5, '"@' * 10**5, ")@" * 10**5, "( " * 10**5 + "a@b <" * 10**5])
def test_f11_no_text_takes_for_ever(text: str) -> None:
    # The limit of every test is the only clock here.
    without_emails(text)
