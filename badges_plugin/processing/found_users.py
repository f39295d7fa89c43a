"""Users as they are looked up, before anybody holds them: what learners are told apart by, and no more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from badges_plugin.host import User
from badges_plugin.questions import Question
from badges_plugin.retirement import is_retired


class FoundUser(NamedTuple):
    """A Credentials user. Whoever changes one locks and reads the whole row."""

    pk: int
    username: str
    email: str
    lms_user_id: int | None
    profile_time: datetime | None
    """Of the user's row in ``badges_learner``."""
    said: str | None
    """What an event said that described the user as retired, and when; of the row in ``badges_retirement``."""
    said_at: datetime | None

    @property
    def is_known(self) -> bool:
        """Whether an event was applied to the user before."""
        return self.profile_time is not None

    @property
    def is_said_to_be_retired(self) -> bool:
        """Whether an event described the user as retired."""
        return self.said is not None and is_retired(self.said, self.said)


def by_id_or_name(ids: Collection[int], names: Collection[str]) -> list[FoundUser]:
    """Return the users who have one of these LMS user ids or names, oldest first. One query, none without either."""
    if not ids:
        return list(map(FoundUser._make, _BY_NAME.ask(names))) if names else []
    rows = _BY_ID_OR_NAME.ask(ids, names) if names else _BY_ID.ask(ids)
    return list(map(FoundUser._make, rows))


def by_email_or_any_case(emails: Collection[str], names: Collection[str]) -> list[FoundUser]:
    """Return the users who have one of these e-mail addresses or names, given in lower case, oldest first.

    One query that reads all users.
    """
    rows = _found(Q()).alias(_email=Lower("email"), _name=Lower("username"))
    return list(map(FoundUser._make, rows.filter(Q(_email__in=emails) | Q(_name__in=names))))


def _found(condition: Q) -> QuerySet[User, Any]:
    return (
        User.objects.filter(condition)
        .order_by("pk")
        .values_list(
            "pk", "username", "email", "lms_user_id",
            "badges_learner__profile_time", "badges_retirement__said", "badges_retirement__said_at",
        )
    )  # fmt: skip


_BY_ID = Question(lambda ids: _found(Q(lms_user_id__in=ids)))
_BY_NAME = Question(lambda names: _found(Q(username__in=names)))
_BY_ID_OR_NAME = Question(lambda ids, names: _found(Q(lms_user_id__in=ids) | Q(username__in=names)))
