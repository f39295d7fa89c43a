"""Find e-mail addresses and user names in text, and in events that were not decoded.

Only as a whole: one e-mail address may be the end of another, and a user name may be an ordinary word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import AnyStr

# Longer ones are not valid: https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3
_MAX_EMAIL_LENGTH = 254
_PART = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]")
# A period ends an e-mail address unless a letter follows.
_MORE = re.compile(r"[.-]*\w")


def has_email(text: str, email: str) -> bool:
    """Return whether a text contains an e-mail address, which is given in lower case."""
    text = text.casefold()
    return any(_is_apart(text, at, at + len(email)) for at in _places(text, email))


def raw_has_email(raw: bytes, email: str) -> bool:
    """Return whether bytes contain an e-mail address: as an Avro string, after its length, or as in a text."""
    # One character for each byte; only ASCII letters are lowered.
    text, wanted = raw.lower().decode("latin-1"), email.encode().lower().decode("latin-1")
    length = _length(len(wanted))
    return any(raw[:at].endswith(length) or _is_apart(text, at, at + len(wanted)) for at in _places(text, wanted))


def raw_has_username(raw: bytes, username: str) -> bool:
    """Return whether bytes contain a user name as UserPersonalData in Avro: an e-mail address follows it."""
    name = username.encode()
    framed = _length(len(name)) + name
    return any(_begins_with_email(raw[at + len(framed) :]) for at in _places(raw, framed))


def _is_apart(text: str, start: int, end: int) -> bool:
    return not _PART.match(text[start - 1 : start] if start else "") and not _MORE.match(text, end)


def _begins_with_email(raw: bytes) -> bool:
    for digits in (1, 2):
        length = raw[:digits]
        word = next((raw[digits : digits + n] for n in range(3, _MAX_EMAIL_LENGTH + 1) if _length(n) == length), b"")
        if 0 < word.find(b"@") < len(word) - 1 and not re.search(rb"[\x00-\x20]", word):
            return True
    return False


def _length(number: int) -> bytes:
    """Return the length of a string in Avro: https://avro.apache.org/docs/1.11.1/specification/#binary-encoding ."""
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
