"""Whom staff may have meant by an address or a user name that nobody has."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from django.db.models import Q

from badges_plugin.host import User
from badges_plugin.retirement import retired_among

MOST_TEXTS = 20
"""Texts for which somebody is looked for: each makes the query, which reads all users, a little slower."""
_MOST_USERS = 200
_BEGINNING = 3
_NEAR = 0.75


def nearest(texts: Collection[str]) -> dict[str, User]:
    """Return for each text the user whose address or name is most like it, where one is near. Two queries at most.

    An address is looked for by what stands before its "@", which is seldom misspelled; a name by its first letters.
    """
    wanted = list(texts)[:MOST_TEXTS]
    conditions = Q()
    for text in wanted:
        before, at, _domain = text.partition("@")
        if at and before:
            conditions |= Q(email__istartswith=f"{before}@")
        elif not at and len(text) >= _BEGINNING:
            conditions |= Q(username__istartswith=text[:_BEGINNING])
    if not conditions:
        return {}
    users = list(User.objects.filter(conditions).order_by("-pk")[:_MOST_USERS])
    gone = retired_among(users)
    living = [user for user in users if user.pk not in gone]
    found = {text: _nearest(text, living) for text in wanted}
    return {text: user for text, user in found.items() if user is not None}


def _nearest(text: str, users: Collection[User]) -> User | None:
    by_text = {(user.email if "@" in text else user.get_username()).lower(): user for user in users}
    close = difflib.get_close_matches(text.lower(), by_text, n=1, cutoff=_NEAR)
    return by_text[close[0]] if close else None
