"""Whose progress and badges they are: the built-in app knows learners by their user names only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from badges_plugin import retirement
from badges_plugin.adoption.report import Topic
from badges_plugin.host import User
from badges_plugin.models import Learner


@dataclass
class People:
    """Users by the names that the built-in app has, and why a name is nobody to whom something can be given."""

    users: dict[str, User] = field(default_factory=dict)
    refused: dict[str, Topic] = field(default_factory=dict)


def people(names: Collection[str]) -> People:
    """Return whose names they are. Four queries.

    A name that the database takes for another one, "José" for "jose", is not that person's. A learner with several
    users is one learner for badges: the user whom badges know, otherwise the oldest; what is written of the others
    stays theirs.
    """
    rows = list(User.objects.filter(username__in=names).order_by("pk"))
    found = People({user.username: user for user in rows if user.username in names})
    gone = retirement.retired_among(found.users.values())
    belong = _to_whom_badges_belong(list(found.users.values()))
    for name in names:
        user = found.users.get(name)
        if user is None:
            found.refused[name] = Topic.UNKNOWN
        elif user.pk in gone:
            found.refused[name] = Topic.RETIRED
        elif belong.get(user.lms_user_id or 0, user.pk) != user.pk:
            found.refused[name] = Topic.OTHER_USER
    for name in found.refused:
        found.users.pop(name, None)
    return found


def _to_whom_badges_belong(users: Collection[User]) -> dict[int, int]:
    """Return the key of a person's user by LMS user id, as events choose it."""
    ids = {user.lms_user_id for user in users if user.lms_user_id}
    rows = list(User.objects.filter(lms_user_id__in=ids).order_by("-pk").values_list("pk", "lms_user_id"))
    known = set(Learner.objects.filter(pk__in=[pk for pk, _ in rows]).values_list("pk", flat=True))
    ordered = sorted(rows, key=lambda row: row[0] in known)  # stable: the oldest last, and those known after them
    return {lms_user_id: pk for pk, lms_user_id in ordered if lms_user_id is not None}
