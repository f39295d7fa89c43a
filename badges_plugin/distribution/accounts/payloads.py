"""Read a provider's JSON: reject undocumented shapes by name; drop characters no database stores."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import DatabaseError
from django.utils.translation import gettext_noop

from badges_plugin.database import is_transient
from badges_plugin.distribution.exceptions import TransientFailure, strip_unstorable
from badges_plugin.distribution.reasons import with_detail
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe_with_traceback

logger = get_logger(__name__)

PayloadT = TypeVar("PayloadT")

_MAX_SHOWN = 60
_UNREADABLE = gettext_noop("The provider's reply cannot be read.")
# They change the direction of what follows: https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters and symbols that are invisible.
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


class UnexpectedReply(ValueError):
    """A reply lacks what every reply of its kind has; the message names it."""


def text(payload: Any, name: str) -> str:
    """Return the text under the name; empty where there is none."""
    value = payload.get(name) if isinstance(payload, Mapping) else None
    return strip_unstorable(value) if isinstance(value, str) else ""


def read(reader: Callable[[Any], PayloadT], payload: Any) -> PayloadT:
    """Read the payload of a reply. Raises an ambiguous TransientFailure when it is not as expected."""
    try:
        return reader(payload)
    except UnexpectedReply as error:
        # The request was carried out, or the status would say otherwise.
        raise TransientFailure(with_detail(_UNREADABLE, error), ambiguous=True) from error


def readable(
    provider: str, reader: Callable[[Any], PayloadT], payloads: Iterable[Any], unreadable: list[str]
) -> Iterator[PayloadT]:
    """Read the entries of a list. Those that cannot be read are skipped, logged, and appended to ``unreadable``."""
    for payload in payloads:
        try:
            yield reader(payload)
        except UnexpectedReply as error:
            name = one_line(text(payload, "name"))[:_MAX_SHOWN] or "?"
            logger.warning("%s lists “%s”, which cannot be read and is skipped: %s.", provider, name, error)
            unreadable.append(f"“{name}” ({error})")


def one_line(words: str) -> str:
    """Return the words in one line, without confusing characters; empty when none of them is visible."""
    kept = (_as_shown(char) for char in strip_unstorable(words))
    line = " ".join("".join(kept).split())
    return line if any(_is_visible(char) for char in line) else ""


def _as_shown(char: str) -> str:
    if char in _DIRECTIONS:
        return ""
    return " " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char


def _is_visible(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNPS" and char not in _FILLERS


@contextmanager
def skip_on_data_error(what: str) -> Iterator[None]:
    """Log, and go on after the block, when the database refuses the data that the block stores.

    Raises transient errors of the database. ``what`` names the data in the log.
    """
    try:
        yield
    except DatabaseError as error:
        if is_transient(error):
            raise
        # Without the error's message: databases quote the values that they refuse.
        logger.error("%s cannot be stored and is skipped: %s", what, describe_with_traceback(error))
