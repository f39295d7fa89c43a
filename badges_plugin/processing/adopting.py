"""Write what learners did and were given before this plugin knew of it: progress and awards, as if they had been here.

Nothing follows from it: no signal is sent, no public event, and nothing is queued for a provider.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.contrib.contenttypes.models import ContentType

from badges_plugin import bulk, instances
from badges_plugin.host import User, UserCredential
from badges_plugin.models import (
    BadgeAward,
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    Ending,
    Fulfillment,
    Learner,
)
from badges_plugin.processing import credentials, learners, locking, terms


@dataclass(frozen=True)
class PastFulfillment:
    """A requirement that was fulfilled at ``time``, under rules that mean the same as today's; or taken away then."""

    requirement: BadgeRequirement
    event_id: UUID
    time: datetime
    is_fulfilled: bool = True


@dataclass(frozen=True)
class PastAward:
    """A badge that was given by other code of the service. The credential becomes ours; its row stays the same."""

    credential_id: int
    awarded_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Past:
    """What is to be written of one learner: fulfillments that are not here yet, and an award if there is none."""

    user: User
    fulfillments: Sequence[PastFulfillment] = field(default_factory=tuple)
    award: PastAward | None = None


def hold(user_ids: Iterable[int]) -> dict[int, User]:
    """Lock learners until the end of the transaction, so that no event changes them; return them by primary key.

    Raises User.DoesNotExist when one was deleted. One query.
    """
    return {pk: user for pk, (user, _profile) in learners.lock_all(user_ids).items()}


def adopt(template: BadgeTemplate, pasts: Sequence[Past]) -> list[BadgeAward]:
    """Write the past of learners, of one badge; return the awards, in the order of the learners.

    Called inside a transaction that holds the learners, who are different ones. No fulfillment may be here already, and
    no award of a learner for whom one is given. A fixed number of statements.
    """
    wanted = [past for past in pasts if past.fulfillments or past.award]
    _introduce([past.user for past in wanted])
    progress = _progress(template, [past.user for past in wanted])
    _write_fulfillments([(progress[past.user.pk], each) for past in wanted for each in past.fulfillments])
    return _write_awards([(progress[past.user.pk], past.award) for past in wanted if past.award is not None])


def _introduce(users: Sequence[User]) -> None:
    """Let badges know the learners: the first event of one they do not know is not asked for progress."""
    known = set(Learner.objects.filter(pk__in=[user.pk for user in users]).values_list("pk", flat=True))
    new = [user for user in users if user.pk not in known]
    bulk.insert_rows([locking.introduction(user) for user in new])


def _progress(template: BadgeTemplate, users: Sequence[User]) -> dict[int, BadgeProgress]:
    rows = BadgeProgress.objects.filter(template=template, user__in=[user.pk for user in users])
    found = {row.user_id: row for row in rows.order_by("pk")}
    new = [BadgeProgress(user=user, template=template) for user in users if user.pk not in found]
    bulk.insert(new, by=("user_id", "template_id"))
    found |= {row.user_id: row for row in new}
    instances.relate(list(found.values()), "template", [template] * len(found))
    for user in users:
        found[user.pk].user = user
    return found


def _write_fulfillments(rows: Sequence[tuple[BadgeProgress, PastFulfillment]]) -> None:
    if not rows:
        return
    asked = {each.requirement.pk: each.requirement for _, each in rows}
    made_under = {pk: requirement.validity().current for pk, requirement in asked.items()}
    bulk.insert_columns(
        Fulfillment,
        {
            "progress_id": [progress.pk for progress, _ in rows],
            "requirement_id": [each.requirement.pk for _, each in rows],
            "is_fulfilled": [each.is_fulfilled for _, each in rows],
            "event_id": [each.event_id for _, each in rows],
            "event_type": [each.requirement.event_type for _, each in rows],
            "event_time": [each.time for _, each in rows],
            "since": [each.time if each.is_fulfilled else None for _, each in rows],
            "made_under": [made_under[each.requirement.pk] if each.is_fulfilled else "" for _, each in rows],
        },
    )


def _write_awards(given: Sequence[tuple[BadgeProgress, PastAward]]) -> list[BadgeAward]:
    if not given:
        return []
    _take_credentials(given)
    ends = [terms.after(each.awarded_at, each.ended_at) if each.ended_at is not None else None for _, each in given]
    columns: dict[str, list[object]] = {
        "progress_id": [progress.pk for progress, _ in given],
        "number": [1] * len(given),
        "credential_id": [each.credential_id for _, each in given],
        "awarded_at": [each.awarded_at for _, each in given],
        "recorded_at": [each.awarded_at for _, each in given],
        "revoked_at": list(ends),
        "revocation_recorded_at": list(ends),
        "ended_by": [Ending.PENALTY.value if end is not None else "" for end in ends],
        "events": [[] for _ in given],
        # Whoever listens was told at that time.
        "published_at": [each.awarded_at for _, each in given],
        "revocation_published_at": list(ends),
    }
    awards = instances.make(BadgeAward, len(given), columns)
    instances.relate(awards, "progress", [progress for progress, _ in given])
    bulk.insert(awards, by=("progress_id", "number"))
    return awards


def _take_credentials(given: Sequence[tuple[BadgeProgress, PastAward]]) -> None:
    """Make the host's credentials those of our template. Updated, not saved: nothing has become of them."""
    template_id = given[0][0].template_id
    own_type = ContentType.objects.get_for_model(BadgeTemplate)
    credentials.make_room_for([
        UserCredential(
            username=progress.user.get_username(), credential_content_type=own_type, credential_id=template_id
        )
        for progress, _ in given
    ])  # fmt: skip
    UserCredential.objects.filter(pk__in=[each.credential_id for _, each in given]).update(
        credential_content_type=own_type, credential_id=template_id
    )
