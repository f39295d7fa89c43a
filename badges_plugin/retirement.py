"""Who was retired, which is how the platform erases a person. The only place that decides it.

The platform gives a retired learner another user name and another e-mail address. Either of them tells: the LMS
replaces the address first, days before the user name, and the Credentials service replaces nothing but the user name. A
change to any other user name is a renaming of the same person.

It is the person who is retired, and a person may be several users here: the host does not keep LMS user ids unique. So
whoever has the LMS user id of a retired user was retired as well, and so was everybody of whom an event said so, which
may be before the service knows.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q

from badges_plugin import conf
from badges_plugin.host import User

# Nothing that is sent there arrives: https://www.rfc-editor.org/rfc/rfc2606
_NOWHERE = "invalid"


def is_retired(username: str, email: str) -> bool:
    """Whether somebody of this user name and e-mail address was retired, or is about to be."""
    return bool(mark_of(username, email))


def mark_of(username: str, email: str) -> str:
    """Return which of the two says that somebody was retired; empty when neither does."""
    prefix, domains = _marks()
    if username.casefold().startswith(prefix.casefold()):
        return username
    _, at, domain = email.strip().rstrip(".").casefold().rpartition("@")
    return email if at and any(domain == each or domain.endswith(f".{each}") for each in domains) else ""


def is_said_to_be(user: User) -> bool:
    """Whether an event said that this user was retired. No query where ``badges_retirement`` was selected as well."""
    try:
        said = user.badges_retirement.said
    except ObjectDoesNotExist:
        return False
    return is_retired(said, said)


def is_gone(user: User) -> bool:
    """Whether the person behind a user was retired. One query."""
    return bool(retired_among([user]))


def retired_among(users: Iterable[User]) -> set[int]:
    """Return the keys of those users who were retired by now, as whichever of a person's users. One query."""
    ids = {user.pk: user.lms_user_id for user in users}
    if not ids:
        return set()
    people = {lms_user_id for lms_user_id in ids.values() if lms_user_id}
    rows = User.objects.filter(Q(pk__in=ids) | Q(lms_user_id__in=people))
    gone, gone_people = set(), set()
    for pk, lms_user_id, username, email, said in rows.values_list(
        "pk", "lms_user_id", "username", "email", "badges_retirement__said"
    ):
        if is_retired(username, email) or (said and is_retired(said, said)):
            gone.add(pk)
            gone_people.add(lms_user_id)
    return {pk for pk, lms_user_id in ids.items() if pk in gone or (lms_user_id and lms_user_id in gone_people)}


def retired_users() -> Q:
    """Return the condition for users of whom their own row, or an event, says so. It uses no index: ask seldom."""
    said = "badges_retirement__said"
    return _marked("username", "email") | _marked(said, said)


def retired_people() -> Q:
    """Return the condition for all users of people who were retired. It uses no index: ask seldom."""
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
    return prefix, {_NOWHERE, domain.casefold()}
