"""Whether a text, or an event that was never decoded, mentions an address or a user name.

As a whole: an address may be the end of another one, and a user name an ordinary word that stands for something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import AnyStr

# Longer ones are not valid: https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3
_MAX_EMAIL_LENGTH = 254
_PART = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]")
# A full stop ends an address, and does not end it where a letter follows.
_MORE = re.compile(r"[.-]*\w")


def has_address(text: str, address: str) -> bool:
    """Whether a text mentions an address, which is given in lower case."""
    text = text.casefold()
    return any(_is_apart(text, at, at + len(address)) for at in _places(text, address))


def raw_has_address(raw: bytes, address: str) -> bool:
    """Whether bytes have the address: as a string of Avro, which its length precedes, or as in a text."""
    # One character for each byte, and no letters but those of ASCII.
    text, wanted = raw.lower().decode("latin-1"), address.encode().lower().decode("latin-1")
    length = _length(len(wanted))
    return any(raw[:at].endswith(length) or _is_apart(text, at, at + len(wanted)) for at in _places(text, wanted))


def raw_has_username(raw: bytes, username: str) -> bool:
    """Whether bytes have the user name as UserPersonalData of openedx-events in Avro: an address comes next."""
    name = username.encode()
    framed = _length(len(name)) + name
    return any(_begins_with_address(raw[at + len(framed) :]) for at in _places(raw, framed))


def _is_apart(text: str, start: int, end: int) -> bool:
    return not _PART.match(text[start - 1 : start] if start else "") and not _MORE.match(text, end)


def _begins_with_address(raw: bytes) -> bool:
    for digits in (1, 2):
        length = raw[:digits]
        word = next((raw[digits : digits + n] for n in range(3, _MAX_EMAIL_LENGTH + 1) if _length(n) == length), b"")
        if 0 < word.find(b"@") < len(word) - 1 and not re.search(rb"[\x00-\x20]", word):
            return True
    return False


def _length(number: int) -> bytes:
    """The length of a string as Avro writes it: https://avro.apache.org/docs/1.11.1/specification/#binary-encoding ."""
    number, written = 2 * number, bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def _places(text: AnyStr, word: AnyStr) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)
