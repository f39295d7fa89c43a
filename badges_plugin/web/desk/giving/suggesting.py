"""Whom staff may have meant by an address or a user name that nobody has."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from django.core.signing import BadSignature, Signer
from django.db.models import Q

from badges_plugin.host import User
from badges_plugin.retirement import retired_among

MOST_TEXTS = 10
"""Texts for which somebody is looked for: each makes the query, which reads all users, a little slower."""
_MOST_USERS = 200
_BEGINNING = 3
_NEAR = 0.75
_SALT = "badges_plugin.web.desk.giving.suggesting"


def nearest(texts: Collection[str]) -> dict[str, User]:
    """Return for each text the user whose address or name is most like it, where one is near. Three queries at most.

    An address is looked for by what stands before its "@", which is seldom misspelled; a name by its first letters.
    """
    wanted = list(texts)[:MOST_TEXTS]
    # Apart: of names there is an index, of addresses there is none, and one query for both would not use it.
    addresses = [f"{before}@" for before, at, _domain in (text.partition("@") for text in wanted) if at and before]
    names = [text[:_BEGINNING] for text in wanted if "@" not in text and len(text) >= _BEGINNING]
    users = [*_beginning("email", addresses), *_beginning("username", names)]
    gone = retired_among(users)
    living = [user for user in users if user.pk not in gone]
    found = {text: _nearest(text, living) for text in wanted}
    return {text: user for text, user in found.items() if user is not None}


def offer(line_id: int, user_id: int) -> str:
    """Return the value of the button that accepts a suggestion, signed: nobody is accepted who was not suggested."""
    return Signer(salt=_SALT).sign(f"{line_id}:{user_id}")


def accepted(value: str) -> tuple[int, int] | None:
    """Return the keys of the line and the user of a button; None if no page had such a button."""
    try:
        line_id, user_id = Signer(salt=_SALT).unsign(value).split(":")
    except BadSignature:
        return None
    return int(line_id), int(user_id)


def _beginning(column: str, beginnings: Collection[str]) -> list[User]:
    conditions = Q()
    for text in beginnings:
        conditions |= Q(**{f"{column}__istartswith": text})
    return list(User.objects.filter(conditions).order_by("username")[:_MOST_USERS]) if beginnings else []


def _nearest(text: str, users: Collection[User]) -> User | None:
    by_text = {(user.email if "@" in text else user.get_username()).lower(): user for user in users}
    close = difflib.get_close_matches(text.lower(), by_text, n=1, cutoff=_NEAR)
    return by_text[close[0]] if close else None
