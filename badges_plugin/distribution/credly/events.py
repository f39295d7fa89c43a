"""Apply Credly's events here: each once, and never an older one over a newer.

https://www.credly.com/docs/webhooks
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from badges_plugin.distribution.accounts.backend import examine_unknown
from badges_plugin.distribution.accounts.payloads import skip_on_data_error
from badges_plugin.distribution.api import TransientFailure
from badges_plugin.distribution.credly.client import client_for
from badges_plugin.distribution.credly.data import VALID, BadgePayload, BadgeState, EventPayload
from badges_plugin.distribution.credly.models import (
    ORIGIN,
    CredlyBadge,
    CredlyEvent,
    CredlyOrganization,
)
from badges_plugin.distribution.credly.sync import apply_template, remove_template
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

# The period of a first poll, and the overlap of later ones: events may become visible out of order.
_FIRST_LOOK = timedelta(days=30)
_OVERLAP = timedelta(hours=1)
# Credly repeats a notification for up to 25 days; after twice that, nobody asks whether the event was applied.
_REMEMBERED = timedelta(days=50)
_BATCH = 500
_MAX_TYPE_LENGTH = 64
# The size of a page.
_LATEST = 50


@dataclass(slots=True)
class PollResult:
    """The numbers of events that were seen, applied now, and left for later."""

    seen: int = 0
    applied: int = 0
    waiting: int = 0

    def __str__(self) -> str:
        return f"{self.seen} events seen, {self.applied} applied, {self.waiting} left for later"


def is_applied(event_id: UUID) -> bool:
    """Whether the event was applied before."""
    return CredlyEvent.objects.filter(uuid=event_id).exists()


def apply_event(organization: CredlyOrganization, event: EventPayload) -> bool:
    """Apply an event that was fetched from Credly. Return False when it was applied before.

    Raises TransientFailure when it is about a badge of ours whose issue is not settled yet.
    """
    with transaction.atomic():
        try:
            with transaction.atomic():
                CredlyEvent.objects.create(
                    uuid=event.id,
                    organization=organization,
                    event_type=event.event_type[:_MAX_TYPE_LENGTH],
                    occurred_at=event.occurred_at,
                )
        except IntegrityError:
            return False
        handler = _HANDLERS.get(event.event_type)
        if handler is None:
            logger.info("Credly event %s of type %r is ignored: unhandled type.", event.id, event.event_type)
        else:
            handler(organization, event)
    return True


def poll(organization: CredlyOrganization) -> PollResult:
    """Apply the events that webhooks have missed. Raises the failures of the contract."""
    now = timezone.now()
    since = organization.polled_until - _OVERLAP if organization.polled_until else now - _FIRST_LOOK
    newest_first = client_for(organization).events()
    recent = list(takewhile(lambda event: event.occurred_at is None or event.occurred_at >= since, newest_first))
    result = PollResult(seen=len(recent))
    polled_until = organization.polled_until
    for event in sorted(recent, key=lambda event: event.occurred_at or since):
        try:
            with skip_on_data_error(f"Credly event {event.id}"):
                if event.organization_id == organization.uuid and not is_applied(event.id):
                    result.applied += apply_event(organization, event)
        except TransientFailure as failure:
            logger.info("Credly event %s waits: %s", event.id, failure.reason)
            result.waiting += 1
        # Also past events that webhooks have brought, or every poll would look as far back as the first one.
        if not result.waiting:
            polled_until = event.occurred_at or polled_until
    if polled_until is not None:
        # With an event from the future, the next polls would see nothing until then.
        CredlyOrganization.objects.filter(pk=organization.pk).update(polled_until=min(polled_until, now))
    return result


def forget_a_batch(now: datetime) -> bool:
    """Delete some old events that nobody will ask for any more. Return whether there may be more. A chore."""
    old = CredlyEvent.objects.filter(applied_at__lt=now - _REMEMBERED).order_by("pk")
    keys = list(old.values_list("pk", flat=True)[:_BATCH])
    if keys:
        CredlyEvent.objects.filter(pk__in=keys).delete()
    return len(keys) == _BATCH


def apply_latest(organization: CredlyOrganization) -> None:
    """Apply the newest events, with one request for a page of them. Credly repeats those that cannot be applied now.

    Raises the failures of the contract.
    """
    latest = list(islice(client_for(organization).events(), _LATEST))
    for event in reversed(latest):
        with suppress(TransientFailure), skip_on_data_error(f"Credly event {event.id}"):
            if event.organization_id == organization.uuid and not is_applied(event.id):
                apply_event(organization, event)


def _change_template(organization: CredlyOrganization, event: EventPayload) -> None:
    if event.template is not None:
        apply_template(organization, event.template, occurred_at=event.occurred_at)


def _delete_template(organization: CredlyOrganization, event: EventPayload) -> None:
    if event.template is not None:
        remove_template(organization, event.template, occurred_at=event.occurred_at)


def _change_badge(organization: CredlyOrganization, event: EventPayload) -> None:
    if event.badge is not None:
        _set_state(event.badge, event.badge.state, event.occurred_at)


def _delete_badge(organization: CredlyOrganization, event: EventPayload) -> None:
    if event.badge is not None:
        _set_state(event.badge, BadgeState.DELETED, event.occurred_at)


def _set_state(badge: BadgePayload, state: BadgeState, at: datetime | None) -> None:
    ours = CredlyBadge.objects.filter(external_id=badge.id)
    if not ours.exists():
        examine_unknown(ORIGIN, str(badge.id), badge.earner_id, is_valid=state in VALID)
        return
    # These states are final: a late event does not make a revoked or deleted badge pending.
    final = (BadgeState.DELETED,) if state is BadgeState.DELETED else (BadgeState.REVOKED, BadgeState.DELETED)
    changeable = ours.exclude(state__in=final)
    if at is not None:
        changeable = changeable.filter(Q(state_time=None) | Q(state_time__lte=at))
    if state is not BadgeState.UNKNOWN:
        changeable.update(state=state, state_time=at)


# https://www.credly.com/docs/webhooks
_HANDLERS: Mapping[str, Callable[[CredlyOrganization, EventPayload], None]] = {
    "badge_template.created": _change_template,
    "badge_template.changed": _change_template,
    "badge_template.deleted": _delete_template,
    "badge.created": _change_badge,
    "badge.state.changed": _change_badge,
    "badge.privacy.changed": _change_badge,
    "badge.deleted": _delete_badge,
}
