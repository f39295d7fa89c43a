"""Reading a provider's JSON: what is not as documented is named, and what no database takes is left out."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import DatabaseError

from badges_plugin.database import is_transient
from badges_plugin.distribution.exceptions import TransientFailure, strip_unstorable
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe_with_traceback

logger = get_logger(__name__)

RecordT = TypeVar("RecordT")

_SHOWN = 60
# They reverse what follows: https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters and symbols that look like nothing.
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


class UnexpectedReply(ValueError):
    """A reply without what every reply of its kind has; the message names it."""


def text(record: Any, name: str) -> str:
    """The text under the name; empty where there is none."""
    value = record.get(name) if isinstance(record, Mapping) else None
    return strip_unstorable(value) if isinstance(value, str) else ""


def read(provider: str, reader: Callable[[Any], RecordT], record: Any) -> RecordT:
    """Read a record of a reply. Raises TransientFailure, in doubt, when it is not as expected."""
    try:
        return reader(record)
    except UnexpectedReply as error:
        # The request has been carried out, or the status would say so.
        raise TransientFailure(f"{provider}'s reply cannot be read: {error}.", ambiguous=True) from error


def readable(
    provider: str, reader: Callable[[Any], RecordT], records: Iterable[Any], unreadable: list[str]
) -> Iterator[RecordT]:
    """Read the entries of a list. What is wrong with those that cannot be read is appended to ``unreadable``."""
    for record in records:
        try:
            yield reader(record)
        except UnexpectedReply as error:
            name = one_line(text(record, "name"))[:_SHOWN] or "?"
            logger.warning("%s lists “%s”, which cannot be read and is left out: %s.", provider, name, error)
            unreadable.append(f"“{name}” ({error})")


def one_line(words: str) -> str:
    """The words in one line, without what would only confuse a reader; empty when nothing of them can be seen."""
    kept = (_as_shown(char) for char in strip_unstorable(words))
    line = " ".join("".join(kept).split())
    return line if any(_can_be_seen(char) for char in line) else ""


def _as_shown(char: str) -> str:
    if char in _DIRECTIONS:
        return ""
    return " " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char


def _can_be_seen(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNPS" and char not in _FILLERS


@contextmanager
def skip_on_data_error(what: str) -> Iterator[None]:
    """Log, and go on after the block, when the database never takes what is stored in it: the others must not wait.

    Raises the trouble of the database that passes by itself. ``what`` names the record in the log.
    """
    try:
        yield
    except DatabaseError as error:
        if is_transient(error):
            raise
        # Without the error's message: databases quote the values that they refuse.
        logger.error("%s cannot be stored and is left out: %s", what, describe_with_traceback(error))
