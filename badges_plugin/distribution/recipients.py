"""The learner, as a provider needs to know them: names for the badge, and the e-mail address."""

from __future__ import annotations

import re
from typing import Any

from badges_plugin import retirement
from badges_plugin.distribution import exceptions
from badges_plugin.distribution.data import Recipient
from badges_plugin.names import as_name, has_letter

MISSING_NAME = "-"
"""Stands for a last name, where a provider requires one and the learner has a single name."""

_COMMA = re.compile(r"\s*[,\u060c\u3001\uff0c]\s*")
# Suffixes that follow a name after a comma.
_SUFFIXES = frozenset({"jr", "jnr", "sr", "snr", "ii", "iii", "iv", "v", "phd", "dphil", "md", "jd", "mba", "esq"})
SHORTEST_SINGLE_NAME = 4
"""Characters; a shorter name would be removed from other words."""


def recipient(user: Any, *, earner_id: str, email: str = "", is_retired: bool = False) -> Recipient:
    """Return a user of the Credentials service as a recipient.

    ``email`` replaces today's e-mail address by that of an earlier request. The names are empty where none could stand
    on a badge. A retired learner, according to ``is_retired`` or the user, has neither names nor an e-mail address.
    """
    if is_retired or retirement.is_retired(user.get_username(), user.email):
        return Recipient(email="", first_name="", last_name="", earner_id=earner_id)
    first, last = names(
        full_name=getattr(user, "full_name", None) or "",
        first_name=user.first_name or "",
        last_name=user.last_name or "",
        username="" if _was_named(user) else user.get_username(),
    )
    return Recipient(
        email=(email or user.email or "").strip(),
        first_name=first,
        last_name=last,
        earner_id=earner_id,
    )


def has_name(user: Any) -> bool:
    """Whether the user has a name that could stand on a badge."""
    return bool(recipient(user, earner_id="").first_name)


def _was_named(user: Any) -> bool:
    """Whether the learner had a name here once. The host empties it when a user is renamed; an event brings it back.

    Until then, the user name must not replace it.
    """
    learner = getattr(user, "badges_learner", None)
    return learner is not None and learner.was_named


def redacted(text: str, person: Recipient) -> str:
    """Return the text without the recipient's name and e-mail address, however the provider quotes them."""
    words = {person.email: "<email>"} | dict.fromkeys(_names_in_order(person), "<name>")
    return exceptions.redacted(text, words=words)


def _names_in_order(person: Recipient) -> list[str]:
    """Return the name as others may write it; a single name only if it is long enough not to be part of a word."""
    first, last = person.first_name, person.last_name
    if last == MISSING_NAME:
        return [first] if len(first) >= SHORTEST_SINGLE_NAME else []
    return [f"{first} {last}", f"{last}, {first}", f"{last} {first}"]


def names(*, full_name: str, first_name: str, last_name: str, username: str) -> tuple[str, str]:
    """Return first and last name from what the service knows; both are empty where none of it is a name.

    The full name is what the learner typed, so it comes first; how to split it is known only where the separate names
    add up to it. Otherwise a comma separates the last name, and without one the first word is the first name: that
    keeps "van Beethoven" and "García Márquez" whole.
    """
    full, first, last = as_name(full_name), as_name(first_name), as_name(last_name)
    if first and last and full in {"", f"{first} {last}", f"{last} {first}", f"{last}, {first}"}:
        return first, last
    return _split(full or first or last or as_name(username))


def _split(name: str) -> tuple[str, str]:
    parts = [part for part in _COMMA.split(name) if has_letter(part)]
    suffixes = [part for part in parts[1:] if part.replace(".", "").casefold() in _SUFFIXES]
    rest = [part for part in parts if part not in suffixes]
    if len(rest) == 2:
        last, first = rest
    else:
        # With more than two parts, nobody knows which is which; but the commas are no part of a name.
        first, _, last = " ".join(rest).partition(" ")
    if not first:
        return "", ""
    return first, ", ".join([last, *suffixes] if last else suffixes) or MISSING_NAME
