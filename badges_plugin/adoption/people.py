"""Whose progress and badges they are: the built-in app knows learners by their user names only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db.models import Count

from badges_plugin import host, retirement
from badges_plugin.adoption.adopters import registered
from badges_plugin.adoption.report import Topic
from badges_plugin.host import User
from badges_plugin.models import Learner

ItemT = TypeVar("ItemT")

_AT_ONCE = 500


@dataclass
class People:
    """Users by the names that the built-in app has, and why a name is nobody to whom something can be given."""

    users: dict[str, User] = field(default_factory=dict)
    refused: dict[str, Topic] = field(default_factory=dict)


def people(names: Collection[str], others: Collection[int]) -> People:
    """Return whose names they are; ``others`` are the users to whom badges do not belong. Two queries.

    A name that the database takes for another one, "José" for "jose", is not that person's.
    """
    rows = User.objects.filter(username__in=names).order_by("pk")
    users = {user.username: user for user in rows if user.username in names}
    gone = retirement.retired_among(users.values())
    found = People()
    for name in names:
        user = users.get(name)
        if user is None:
            found.refused[name] = Topic.UNKNOWN
        elif user.pk in gone:
            found.refused[name] = Topic.RETIRED
        elif user.pk in others:
            found.refused[name] = Topic.OTHER_USER
        else:
            found.users[name] = user
    return found


def others() -> set[int]:
    """Return the keys of users of learners who have several, but for the one to whom badges belong.

    Events choose the user whom badges know, otherwise the oldest. Here the one who has something in the built-in app
    comes before the oldest: once that is adopted, badges know that user, and nobody gets a second badge. What the
    others have stays theirs. The number of queries does not grow with the number of users who are the only ones.
    """
    users: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for pk, name, lms_user_id in _several():
        users[lms_user_id].append((pk, name))
    known, with_badge, with_progress = _known(users.values())
    left: set[int] = set()
    for of_learner in users.values():
        ordered = sorted(
            of_learner,
            key=lambda user: (user[0] not in known, user[1] not in with_badge, user[1] not in with_progress, user[0]),
        )
        left.update(pk for pk, _ in ordered[1:])
    return left


def _several() -> Iterator[tuple[int, str, int]]:
    """Yield key, name and LMS user id of users who share the id."""
    with_id = User.objects.filter(lms_user_id__gt=0).order_by()
    ids = with_id.values("lms_user_id").annotate(number=Count("pk")).filter(number__gt=1)
    for some in _parts(list(ids.values_list("lms_user_id", flat=True))):
        rows = User.objects.filter(lms_user_id__in=some).order_by("pk")
        for pk, name, lms_user_id in rows.values_list("pk", "username", "lms_user_id"):
            if lms_user_id is not None:
                yield pk, name, lms_user_id


def _known(users: Collection[list[tuple[int, str]]]) -> tuple[set[int], set[str], set[str]]:
    """Return of some users whom badges know, and the names that have a badge or progress in the built-in app."""
    models = host.builtin_models()
    badges = [models[adopter.badge_model].objects for adopter in registered() if adopter.badge_model in models]
    fulfillments = models["Fulfillment"].objects
    known: set[int] = set()
    with_badge: set[str] = set()
    with_progress: set[str] = set()
    for some in _parts([user for of_learner in users for user in of_learner]):
        names = [name for _, name in some]
        known.update(Learner.objects.filter(pk__in=[pk for pk, _ in some]).values_list("pk", flat=True))
        for rows in badges:
            with_badge.update(rows.filter(username__in=names).values_list("username", flat=True))
        with_progress.update(
            fulfillments.filter(progress__username__in=names).values_list("progress__username", flat=True)
        )
    return known, with_badge, with_progress


def _parts(items: Sequence[ItemT]) -> Iterator[Sequence[ItemT]]:
    for begin in range(0, len(items), _AT_ONCE):
        yield items[begin : begin + _AT_ONCE]
