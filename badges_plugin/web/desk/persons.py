"""Learners as staff see them: a name, an account, and the several users that one person may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from badges_plugin import retirement
from badges_plugin.admin.large import is_large, people
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress
from badges_plugin.reading.awards import AwardState, in_state
from badges_plugin.web.shared import people_of

LATEST = 200
"""Progress that is looked through for the learners who began last."""


@dataclass(frozen=True)
class Person:
    """A learner on a page.

    .. pii: Carries the user name, e-mail address and name of a learner in memory; never logged.
    .. pii_types: username, email_address, name
    .. pii_retirement: retained
    """

    id: int
    name: str
    """The full name, or the user name where there is none."""
    username: str
    email: str
    is_erased: bool
    held: int = 0
    begun: int = 0
    """Badges with which anything happened, held ones included."""


def person(user: User, *, is_erased: bool | None = None) -> Person:
    """Return a learner. One query unless it is known whether they were erased."""
    is_erased = retirement.is_gone(user) if is_erased is None else is_erased
    username = user.get_username()
    if is_erased:
        return Person(user.pk, _("Erased learner"), username, "", is_erased=True)
    return Person(user.pk, (user.full_name or "").strip() or username, username, user.email, is_erased=False)


def users_of(user: User) -> list[User]:
    """Return all users of the person, this one first. Two queries at most."""
    others = [pk for pk in people_of(user) if pk != user.pk]
    return [user, *(User.objects.filter(pk__in=others).order_by("pk") if others else ())]


def search(request: HttpRequest, text: str) -> list[int]:
    """Return the keys of users whose name, user name or address has a text in it.

    Of a large table: whose name begins with it, or whose address it is; a message says where there are more.
    """
    term = " ".join(text.replace("\0", "").split())
    if not term:
        return []
    if is_large(User):
        return people(request, term)
    condition = Q(username__icontains=term) | Q(full_name__icontains=term) | Q(email__icontains=term)
    return list(User.objects.filter(condition).order_by("full_name", "username", "pk").values_list("pk", flat=True))


def latest() -> list[int]:
    """Return the keys of the learners who were the last to begin a badge. One query."""
    found = BadgeProgress.objects.order_by("-pk").values_list("user", flat=True)[:LATEST]
    return list(dict.fromkeys(found))


def rows(user_ids: Sequence[int]) -> list[Person]:
    """Return learners in the order of these keys, with how many badges they have. Four queries."""
    users = User.objects.in_bulk(user_ids)
    gone = retirement.retired_among(users.values())
    held = _held(user_ids)
    begun = dict(BadgeProgress.objects.filter(user__in=user_ids).order_by().values_list("user").annotate(Count("pk")))
    found = []
    for pk in user_ids:
        if pk in users:
            plain = person(users[pk], is_erased=pk in gone)
            found.append(replace(plain, held=held[pk], begun=begun.get(pk, 0)))
    return found


def _held(user_ids: Collection[int]) -> Counter[int]:
    own = BadgeAward.objects.filter(in_state(AwardState.HELD), progress__user__in=user_ids)
    return Counter(own.order_by().values_list("progress__user", flat=True))
