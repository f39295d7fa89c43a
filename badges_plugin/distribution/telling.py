"""What became of awards at their providers, in words for staff: deliveries, their attempts, and what to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import F
from django.utils.translation import gettext as _

from badges_plugin.counting import count_up_to
from badges_plugin.distribution import deciding, registry, standing
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.delivery_words import Shape, outcome_of, state_of
from badges_plugin.distribution.models import Delivery, DeliveryAttempt
from badges_plugin.distribution.reasons import localized
from badges_plugin.distribution.retry import OPEN, State
from badges_plugin.models import BadgeTemplate

LATEST_ATTEMPTS = 20
"""Attempts of one delivery that are told at most, the newest ones."""


@dataclass(frozen=True)
class AttemptTold:
    """One attempt: when, and what came of it, in a sentence."""

    at: datetime
    shape: Shape
    text: str
    detail: str
    """The reason, with the provider's own words."""


@dataclass(frozen=True)
class DeliveryTold:
    """One delivery as it stands now."""

    id: int
    award_id: int
    provider: str
    action: str
    """A value of ``data.Action``."""
    shape: Shape
    text: str
    """The state in a sentence that names the provider."""
    reason: str
    needs_staff: bool
    is_open: bool
    """Whether staff can try it again now, or give it up."""
    is_given_up: bool
    next_attempt_at: datetime | None
    external_id: str
    url: str
    """The public page of the badge at the provider; empty where there is none."""
    created: datetime
    attempts: int
    log: tuple[AttemptTold, ...]
    """Oldest first; the newest LATEST_ATTEMPTS. Empty unless asked for."""

    @property
    def is_unfinished(self) -> bool:
        return self.shape in (Shape.WAIT, Shape.BAD)


def deliveries_of(award_ids: Collection[int], *, with_log: bool = False) -> dict[int, tuple[DeliveryTold, ...]]:
    """Return the deliveries of awards, oldest first, by the keys of the awards.

    At most five queries, and those of each backend, for any number of awards.
    """
    rows = list(
        Delivery.objects.filter(award__in=award_ids).select_related("channel").order_by("pk") if award_ids else ()
    )
    if not rows:
        return {}
    logs = _logs([row.pk for row in rows]) if with_log else {}
    places = {(pk, each.slug): each.at for pk, found in standing.standings(award_ids).items() for each in found}
    told: dict[int, list[DeliveryTold]] = defaultdict(list)
    for row in rows:
        provider = registry.name_of(row.backend)
        at = places.get((row.award_id, row.backend))
        shape, text = state_of(row, provider, at.place if at else None)
        log = tuple(_attempt(each, row, provider) for each in logs.get(row.pk, ()))
        told[row.award_id].append(
            DeliveryTold(
                id=row.pk,
                award_id=row.award_id,
                provider=provider,
                action=row.action,
                shape=shape,
                text=text,
                reason=localized(_reason(row)),
                needs_staff=row.state == State.FAILED,
                is_open=row.state in OPEN,
                is_given_up=row.state == State.GIVEN_UP,
                next_attempt_at=_next_attempt(row),
                external_id=row.external_id,
                url=at.url if at and row.action == Action.ISSUE else "",
                created=row.created,
                attempts=row.attempts,
                log=log,
            )
        )
    return {pk: tuple(found) for pk, found in told.items()}


def shown_to(user: AbstractBaseUser | AnonymousUser, award_ids: Collection[int]) -> dict[int, tuple[DeliveryTold, ...]]:
    """Return how awards stand at their providers, as ``current`` says, by key; nothing to who may not see it."""
    told = deliveries_of(award_ids) if may_see(user) else {}
    return {pk: current(found) for pk, found in told.items()}


def current(deliveries: Iterable[DeliveryTold]) -> tuple[DeliveryTold, ...]:
    """Return the deliveries that say how an award stands: what was issued and then revoked is revoked.

    A corrected name is of interest until it is there.
    """
    found: dict[tuple[str, bool], DeliveryTold] = {}
    for each in deliveries:
        is_correction = each.action == Action.CORRECT
        found[each.provider, is_correction] = each
    return tuple(each for (_provider, is_correction), each in found.items() if not is_correction or each.is_unfinished)


def needing_staff(user_ids: Collection[int]) -> int:
    """Return how many deliveries of learners go on only when staff do something, counted as ``count_up_to`` does."""
    return count_up_to(Delivery.objects.filter(award__progress__user__in=user_ids, state=State.FAILED))


def is_sent(template: BadgeTemplate) -> bool:
    """Whether a provider gets the awards of a badge."""
    return bool(registry.responsible_for(template))


def can_be_taken_up(delivery_id: int) -> bool:
    """Whether nothing is against sending what was given up after all. Two queries."""
    row = Delivery.objects.select_related("award").filter(pk=delivery_id).first()
    return row is not None and not deciding.obstacle(row)


def may_see(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether a member of staff may see deliveries."""
    return _has(user, "view") or _has(user, "change")


def may_change(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether a member of staff may decide about deliveries."""
    return _has(user, "change")


def _has(user: AbstractBaseUser | AnonymousUser, action: str) -> bool:
    return bool(user.has_perm(f"badges_distribution.{action}_delivery"))  # type: ignore[union-attr]


def _logs(delivery_ids: Collection[int]) -> Mapping[int, list[DeliveryAttempt]]:
    found: dict[int, list[DeliveryAttempt]] = defaultdict(list)
    newest = DeliveryAttempt.objects.filter(
        delivery__in=delivery_ids, delivery__attempts__lt=F("number") + LATEST_ATTEMPTS
    )
    for row in newest.order_by("delivery", "number", "pk"):
        found[row.delivery_id].append(row)
    return {pk: rows[-LATEST_ATTEMPTS:] for pk, rows in found.items()}


def _reason(row: Delivery) -> str:
    """Return why a delivery is not where it should be: what the account waits for, or what happened last."""
    if row.state == State.PENDING and row.channel.paused_reason:
        return row.channel.paused_reason
    return "" if row.state in (State.DONE, State.SENDING) else row.last_error


def _next_attempt(row: Delivery) -> datetime | None:
    if row.state != State.PENDING or row.channel.paused_reason:
        return None
    return max(filter(None, (row.next_attempt_at, row.channel.rest_until)))


def _attempt(row: DeliveryAttempt, of: Delivery, provider: str) -> AttemptTold:
    shape, text = outcome_of(row.outcome, of)
    if row.looked_up:
        text = _("%(provider)s was asked first whether it had arrived. %(outcome)s") % {
            "provider": provider,
            "outcome": text % {"provider": provider},
        }
    else:
        text = text % {"provider": provider}
    return AttemptTold(row.started_at, shape, text, localized(row.reason))
