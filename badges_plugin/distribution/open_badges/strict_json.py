"""Reading JSON from strangers: bounded, and with one meaning only."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from badges_plugin.distribution.open_badges.data import Document

#: Characters of a signed badge. The largest that ``building`` makes is shorter.
MAX_CHARACTERS = 262_144
#: The same in bytes: UTF-8 takes up to four for a character.
MAX_BYTES = MAX_CHARACTERS * 4
#: Objects and arrays inside one another. A badge has seven.
MAX_DEPTH = 24


def read_object(text: str) -> Document:
    """Return the JSON object in ``text``.

    Raises ValueError for anything else, and for what programs read differently: a key twice in one object, NaN,
    numbers without end, half a character. Also for what is too long or too deep.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError("too long")
    if _is_too_deep(text):
        raise ValueError("too deep")
    value = json.loads(
        text, object_pairs_hook=_without_duplicates, parse_constant=_refuse, parse_int=_number, parse_float=_float
    )
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004  # of the text, not of a type
    # An escape such as \ud800 without its other half: no page and no database can hold it (UnicodeEncodeError).
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _is_too_deep(text: str) -> bool:
    # Before it is parsed: the parser recurses. Brackets inside of texts count for nothing.
    depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif character in "}]":
            depth -= 1
    return False


def _without_duplicates(pairs: list[tuple[str, Any]]) -> Document:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _number(digits: str) -> int:
    # Badges count years and credits. Python takes the time of the square of a number's length.
    if len(digits) > 18:
        raise ValueError("a number too long")
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > 32:
        raise ValueError("a number too long")
    return float(digits)
