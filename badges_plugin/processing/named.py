"""Find the learners whom staff name: by user name or e-mail address, as people write them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from badges_plugin.host import User
from badges_plugin.processing import learners
from badges_plugin.processing.found_users import FoundUser, by_email_or_any_case, by_id_or_name
from badges_plugin.retirement import retired_among

BATCH = 10_000
"""Texts of one query: all of a list. The host has no index of e-mail addresses, so each query reads all users."""


class Named(NamedTuple):
    """Whom a text means: ``user_id`` is None for nobody, or, with ``is_several``, for more than one person."""

    user_id: int | None = None
    is_several: bool = False


NOBODY = Named()


def find_named(texts: Collection[str]) -> dict[str, Named]:
    """Return whom each text means. Upper and lower case make no difference; who was retired is nobody.

    A text with an "@" is an e-mail address, and may also be a user name: where these are two people's, it means
    several. Of one person's users, that is the one to whom badges belong. Up to five queries for each BATCH, of which
    one reads all users.
    """
    found: dict[str, Named] = {}
    ordered = list(texts)
    for start in range(0, len(ordered), BATCH):
        found |= _find(ordered[start : start + BATCH])
    return found


def _find(texts: Collection[str]) -> dict[str, Named]:
    folded = {text: text.strip().lower() for text in texts}
    users = {user.pk: user for user in by_id_or_name([], [text.strip() for text in texts])}
    known = {user.username.lower() for user in users.values()}
    emails = {text for text in folded.values() if "@" in text}
    names = {text for text in folded.values() if text not in known}
    if emails or names:
        users |= {user.pk: user for user in by_email_or_any_case(emails, names)}
    by_email, by_name = defaultdict[str, list[FoundUser]](list), defaultdict[str, list[FoundUser]](list)
    for user in users.values():
        by_email[user.email.strip().lower()].append(user)
        by_name[user.username.lower()].append(user)
    meant = {
        text: [*(by_email.get(each, ()) if "@" in each else ()), *by_name.get(each, ())]
        for text, each in folded.items()
    }
    owners = _owners(user for each in meant.values() for user in each)
    retired = retired_among(User.objects.filter(pk__in=set(owners.values())).only("lms_user_id"))
    return {text: _named({owners[user.pk] for user in each} - retired) for text, each in meant.items()}


def _named(user_ids: set[int]) -> Named:
    if len(user_ids) == 1:
        return Named(next(iter(user_ids)))
    return Named(is_several=True) if user_ids else NOBODY


def _owners(users: Iterable[FoundUser]) -> dict[int, int]:
    """Return, by the keys of users, the user to whom the badges of the same person belong. One query at most."""
    found = {user.pk: user for user in users}
    ids = {user.lms_user_id for user in found.values() if user.lms_user_id}
    of_person = defaultdict[int | None, list[FoundUser]](list)
    for user in by_id_or_name(ids, []):
        of_person[user.lms_user_id].append(user)
    first = {lms_user_id: learners.whom_badges_mean_first(same)[0].pk for lms_user_id, same in of_person.items()}
    return {pk: first.get(user.lms_user_id, pk) for pk, user in found.items()}
