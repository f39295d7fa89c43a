"""The learner as a provider wants to know them."""

from __future__ import annotations

import unicodedata
from typing import Any

from badges_plugin.distribution import failures
from badges_plugin.distribution.data import Recipient

MISSING_NAME = "-"
"""In place of a last name, where a provider insists on one and the learner has a single name."""

SHORTEST_SINGLE_NAME = 4
"""Characters; a shorter one would be cut out of other words."""


def recipient(user: Any, *, earner_id: str, email: str = "") -> Recipient:
    """The user of the Credentials service as a recipient.

    `email` replaces today's address by that of an earlier request.
    """
    first, last = names(
        full_name=getattr(user, "full_name", None) or "",
        first_name=user.first_name or "",
        last_name=user.last_name or "",
        username=user.get_username(),
    )
    return Recipient(
        email=(email or user.email or "").strip(),
        first_name=first,
        last_name=last,
        earner_id=earner_id,
    )


def redacted(text: str, person: Recipient) -> str:
    """The text without the recipient's name and address, in whatever way the provider quotes them."""
    words = {person.email: "<address>"} | dict.fromkeys(_names_in_order(person), "<name>")
    return failures.redacted(text, words=words)


def _names_in_order(person: Recipient) -> list[str]:
    """The name as others may write it. Of a single name only one that is not likely to be half a word."""
    first, last = person.first_name, person.last_name
    if last == MISSING_NAME:
        return [first] if len(first) >= SHORTEST_SINGLE_NAME else []
    return [f"{first} {last}", f"{last}, {first}", f"{last} {first}"]


def names(*, full_name: str, first_name: str, last_name: str, username: str) -> tuple[str, str]:
    """First and last name, neither empty, from what the service knows.

    The full name is what the learner typed, so it comes first; how it splits is known only where the separate names
    add up to it. Otherwise the first word is the first name: that keeps "van Beethoven" and "García Márquez" whole.
    """
    full, first, last = _clean(full_name), _clean(first_name), _clean(last_name)
    if first and last and full in {"", f"{first} {last}"}:
        return first, last
    if first and last and full == f"{last} {first}":
        return first, last
    words = (full or first or last or _clean(username)).split(" ")
    return words[0], " ".join(words[1:]) or MISSING_NAME


def _clean(text: str) -> str:
    """In one line, without control characters. Format characters stay: some scripts need their joiners."""
    visible = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    return " ".join(unicodedata.normalize("NFC", visible).split())
