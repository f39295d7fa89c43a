"""The names of people for staff. Nobody who was retired is named by what is left of their name."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext as _

from badges_plugin.host import User
from badges_plugin.retirement import is_retired


def name_of(user: User, *, is_gone: bool = False, otherwise: str | None = None) -> str:
    """Return the full name of a person or, where there is none, the user name. No query.

    Of a retired person it returns ``otherwise``, or that the account is gone. ``is_gone``: what
    ``retirement.retired_among`` says of them, where it was asked; it knows more than the row of a user.
    """
    username: str = user.get_username()
    if is_gone or is_retired(username, user.email):
        return _("Somebody whose account is gone") if otherwise is None else otherwise
    return (user.full_name or "").strip() or user.get_full_name().strip() or username


def names_of(user_ids: Collection[int]) -> dict[int, str]:
    """Return the names of people by their keys. One query, none without keys.

    Those who were deleted or retired are left out.
    """
    users = User.objects.filter(pk__in=user_ids).order_by("pk") if user_ids else ()
    return {user.pk: name for user in users if (name := name_of(user, otherwise=""))}
