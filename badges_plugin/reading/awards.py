"""The badges of a learner, and the holders of a badge."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from badges_plugin.models import DECIDED, BadgeAward, Ending
from badges_plugin.reading.people import name_of

MAX_PAGE = 1000


class AwardState(enum.StrEnum):
    """Whether an award is valid."""

    HELD = "held"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True)
class ByHand:
    """Who gave a badge by hand, and why."""

    given_by_id: int | None
    """The user; None for other code, or an account that was deleted."""
    given_by: str
    """Their full name, or else their user name; empty where the account is gone."""
    reason: str
    list_id: int | None
    """The list that they gave it with."""


@dataclass(frozen=True)
class Award:
    """One award of a badge to a learner. Names of badges are those of today."""

    id: int
    user_id: int
    template_id: int
    template_name: str
    number: int
    state: AwardState
    awarded_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    ending: str
    """A value of ``models.Ending``; empty while nothing ended it."""
    ending_text: str
    reason: str
    """Why it was revoked; empty where nobody said so."""
    credential_uuid: UUID
    by_hand: ByHand | None = None
    """None for a badge that its learner earned."""

    @property
    def is_decided(self) -> bool:
        """Whether a person or a provider decided its end: doing the same again changes nothing."""
        return self.ending in DECIDED


@dataclass(frozen=True)
class Holder:
    """A learner who holds a badge.

    .. pii: Carries the user name and name of a learner in memory; never logged.
    .. pii_types: username, name
    .. pii_retirement: retained
    """

    award: Award
    username: str
    full_name: str


@dataclass(frozen=True)
class Page:
    """Some holders. ``next`` is what to ask for the following page with; None on the last one."""

    holders: tuple[Holder, ...]
    next: int | None


def awards_of_learners(user_ids: Collection[int]) -> dict[int, tuple[Award, ...]]:
    """Return every award of learners, newest first, by user id; the ended ones, too. One query."""
    found: dict[int, list[Award]] = defaultdict(list)
    for row in rows().filter(progress__user__in=user_ids).order_by("-awarded_at", "-pk"):
        found[row.progress.user_id].append(award_of(row))
    return {user_id: tuple(found[user_id]) for user_id in user_ids}


def awards_of_progress(progress_ids: Collection[int]) -> dict[int, tuple[Award, ...]]:
    """Return every award of progress rows, oldest first, by progress id. One query."""
    found: dict[int, list[Award]] = defaultdict(list)
    for row in rows().filter(progress__in=progress_ids).order_by("number"):
        found[row.progress_id].append(award_of(row))
    return {progress_id: tuple(awards) for progress_id, awards in found.items()}


def holders(template_id: int, *, after: int = 0, limit: int = 100) -> Page:
    """Return learners who hold a badge, in the order in which they were awarded it. One query, nothing is counted.

    ``after`` is ``Page.next`` of the page before. Raises ValueError for a limit below 1 or above ``MAX_PAGE``.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit must be between 1 and {MAX_PAGE}")
    found_rows = rows().filter(in_state(AwardState.HELD), progress__template=template_id, pk__gt=after)
    # One more than asked for tells whether there is another page.
    found = list(found_rows.select_related("progress__user").order_by("pk")[: limit + 1])
    page = found[:limit]
    return Page(
        tuple(Holder(award_of(row), row.user.get_username(), row.user.full_name or "") for row in page),
        page[-1].pk if len(found) > limit else None,
    )


def award_of(row: BadgeAward) -> Award:
    """Return a stored award. No query where it comes from ``rows``."""
    ended_at = row.revoked_at
    state = AwardState.HELD
    if row.ended_by == Ending.EXPIRED:
        state = AwardState.EXPIRED
    elif ended_at is not None:
        state = AwardState.REVOKED
    elif row.expires_at is not None and row.expires_at <= timezone.now():
        state, ended_at = AwardState.EXPIRED, row.expires_at  # the worker has not ended it yet
    ending = row.ended_by or (Ending.EXPIRED if state is AwardState.EXPIRED else "")
    return Award(
        id=row.pk,
        user_id=row.progress.user_id,
        template_id=row.progress.template_id,
        template_name=row.template.name,
        number=row.number,
        state=state,
        awarded_at=row.awarded_at,
        expires_at=row.expires_at,
        ended_at=ended_at,
        ending=str(ending),
        ending_text=str(Ending(ending).label) if ending else "",
        reason=row.reason,
        credential_uuid=row.credential.uuid,
        by_hand=_by_hand(row),
    )


def _by_hand(row: BadgeAward) -> ByHand | None:
    given = row.given
    if given is None:
        return None
    person = given.given_by
    name = name_of(person, otherwise="") if person is not None else ""
    return ByHand(given.given_by_id, name, given.reason, given.list_id)


def in_state(state: AwardState) -> Q:
    """Return the condition for awards in a state, whether or not the worker has ended those whose time is over."""
    over = Q(expires_at__lte=timezone.now())
    match state:
        case AwardState.HELD:
            return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
        case AwardState.EXPIRED:
            return Q(ended_by=Ending.EXPIRED) | (Q(revoked_at=None) & over)
        case AwardState.REVOKED:
            return Q(revoked_at__isnull=False) & ~Q(ended_by=Ending.EXPIRED)


def rows() -> QuerySet[BadgeAward]:
    """Return awards with all that ``award_of`` needs."""
    return BadgeAward.objects.select_related("progress__template", "credential", "by_hand__given_by")
