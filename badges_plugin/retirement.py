"""Decide who was retired, which is how the platform erases a person. No other module decides this.

The platform replaces the user name and the e-mail address of a retired learner. Either of them is a mark of retirement:
the LMS replaces the e-mail address days before the user name, and the Credentials service replaces only the user name.
A change to a user name without the mark renames the same person.

A person may have several users here, because LMS user ids are not unique in the host. All users with the LMS user id of
a retired user are retired as well. So is a user whom an event described as retired, perhaps before the service knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from django.db.models import Q

from badges_plugin import conf
from badges_plugin.host import User

# E-mail to this top-level domain is never delivered: https://www.rfc-editor.org/rfc/rfc2606
_INVALID_DOMAIN = "invalid"


def is_retired(username: str, email: str) -> bool:
    """Return whether the user name or the e-mail address is that of a person who was, or is being, retired."""
    return bool(mark_of(username, email))


def mark_of(username: str, email: str) -> str:
    """Return the one of the two that is a mark of retirement; empty if neither is."""
    prefix, endings = _folded(*conf.retirement())
    if username.casefold().startswith(prefix):
        return username
    is_marked = "@" in email and email.strip().rstrip(".").casefold().endswith(endings)
    return email if is_marked else ""


def is_gone(user: User) -> bool:
    """Return whether the person of a user was retired. One query."""
    return bool(retired_among([user]))


def retired_among(users: Iterable[User]) -> set[int]:
    """Return the keys of the users whose person is retired now, under any of the person's users. One query."""
    ids = {user.pk: user.lms_user_id for user in users}
    if not ids:
        return set()
    people = {lms_user_id for lms_user_id in ids.values() if lms_user_id}
    wanted = User.objects.order_by().values_list("pk", "lms_user_id", "username", "email", "badges_retirement__said")
    gone, gone_people = set(), set()
    # Not one condition with "or": for that, MySQL reads the table rather than two indexes of it.
    for pk, lms_user_id, username, email, said in wanted.filter(pk__in=ids).union(
        wanted.filter(lms_user_id__in=people)
    ):
        if is_retired(username, email) or (said and is_retired(said, said)):
            gone.add(pk)
            gone_people.add(lms_user_id)
    return {pk for pk, lms_user_id in ids.items() if pk in gone or (lms_user_id and lms_user_id in gone_people)}


def retired_users() -> Q:
    """Return the condition for users who are retired by their own row or an event. It uses no index: use it rarely."""
    said = "badges_retirement__said"
    return _marked("username", "email") | _marked(said, said)


def retired_people() -> Q:
    """Return the condition for all users of retired people. It uses no index: use it rarely."""
    known = User.objects.filter(retired_users(), lms_user_id__gt=0)
    return retired_users() | Q(lms_user_id__in=known.values("lms_user_id"))


def _marked(username: str, email: str) -> Q:
    prefix, domains = _marks()
    condition = Q(**{f"{username}__istartswith": prefix})
    for domain in domains:
        condition |= Q(**{f"{email}__iendswith": f"@{domain}"}) | Q(**{f"{email}__iendswith": f".{domain}"})
    return condition


def _marks() -> tuple[str, set[str]]:
    prefix, domain = conf.retirement()
    return prefix, {_INVALID_DOMAIN, domain.casefold()}


@lru_cache(maxsize=1)
def _folded(prefix: str, domain: str) -> tuple[str, tuple[str, ...]]:
    """Return the prefix of user names, and how e-mail addresses end."""
    domains = (_INVALID_DOMAIN, domain.casefold())
    return prefix.casefold(), tuple(f"{sign}{each}" for each in domains for sign in ("@", "."))
