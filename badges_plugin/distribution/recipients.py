"""The learner as a provider wants to know them."""

from __future__ import annotations

import re
from typing import Any

from badges_plugin import retirement
from badges_plugin.distribution import exceptions
from badges_plugin.distribution.data import Recipient
from badges_plugin.names import as_name, has_letter

MISSING_NAME = "-"
"""In place of a last name, where a provider insists on one and the learner has a single name."""

_COMMA = re.compile(r"\s*[,\u060c\u3001\uff0c]\s*")
# What follows a name after a comma without being one.
_SUFFIXES = frozenset({"jr", "jnr", "sr", "snr", "ii", "iii", "iv", "v", "phd", "dphil", "md", "jd", "mba", "esq"})
SHORTEST_SINGLE_NAME = 4
"""Characters; a shorter one would be cut out of other words."""


def recipient(user: Any, *, earner_id: str, email: str = "", is_retired: bool = False) -> Recipient:
    """The user of the Credentials service as a recipient.

    ``email`` replaces today's address by that of an earlier request. The names are empty where there is none that could
    stand on a badge. A learner who was retired, as ``is_retired`` or the user here says, has no names and no address.
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
    """Whether the learner had a name here once. The host empties it when a user is renamed; it comes again by an event.

    Until then, the user name must not stand in for it.
    """
    learner = getattr(user, "badges_learner", None)
    return learner is not None and learner.was_named


def redacted(text: str, person: Recipient) -> str:
    """The text without the recipient's name and address, in whatever way the provider quotes them."""
    words = {person.email: "<email>"} | dict.fromkeys(_names_in_order(person), "<name>")
    return exceptions.redacted(text, words=words)


def _names_in_order(person: Recipient) -> list[str]:
    """The name as others may write it. Of a single name only one that is not likely to be half a word."""
    first, last = person.first_name, person.last_name
    if last == MISSING_NAME:
        return [first] if len(first) >= SHORTEST_SINGLE_NAME else []
    return [f"{first} {last}", f"{last}, {first}", f"{last} {first}"]


def names(*, full_name: str, first_name: str, last_name: str, username: str) -> tuple[str, str]:
    """First and last name from what the service knows; neither empty, or both where nothing of it is a name.

    The full name is what the learner typed, so it comes first; how it splits is known only where the separate names
    add up to it. Otherwise a comma says what is the last name, and without one the first word is the first name: that
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
        # With more than two, nobody knows which is which; the commas at least are no part of a name.
        first, _, last = " ".join(rest).partition(" ")
    if not first:
        return "", ""
    return first, ", ".join([last, *suffixes] if last else suffixes) or MISSING_NAME
