"""What happened at Credly, applied here: each event once, and never an older one over a newer.

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

from badges_plugin.distribution import queueing
from badges_plugin.distribution.accounts.records import skip_on_data_error
from badges_plugin.distribution.credly.data import ALIVE, BadgeRecord, BadgeState, EventRecord
from badges_plugin.distribution.credly.models import (
    ORIGIN,
    CredlyBadge,
    CredlyEvent,
    CredlyOrganization,
)
from badges_plugin.distribution.credly.organizations import client_for
from badges_plugin.distribution.credly.sync import apply_template, remove_template
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.exceptions import TransientFailure
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import UNSETTLED, State
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

# How far back a first poll looks, and how much a later one looks again at: events may become visible out of order.
_FIRST_LOOK = timedelta(days=30)
_OVERLAP = timedelta(hours=1)
# Credly sends an event for up to 25 days; after twice that nobody asks whether it was applied.
_REMEMBERED = timedelta(days=50)
_FORGOTTEN_AT_ONCE = 500
_MAX_TYPE_LENGTH = 64
# A page.
_LATEST = 50


@dataclass(slots=True)
class PollResult:
    """How many events were seen, applied now, and left for later."""

    seen: int = 0
    applied: int = 0
    waiting: int = 0


def is_applied(event_id: UUID) -> bool:
    """Whether the event was applied before."""
    return CredlyEvent.objects.filter(uuid=event_id).exists()


def apply_event(organization: CredlyOrganization, event: EventRecord) -> bool:
    """Apply an event that Credly itself has told. False when it was applied before.

    Raises TransientFailure when it is about a badge of ours whose issue is still in doubt: later it will be known.
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
            logger.info("Credly event %s of type %r is of no interest.", event.id, event.event_type)
        else:
            handler(organization, event)
    return True


def poll(organization: CredlyOrganization) -> PollResult:
    """Apply what webhooks have missed. Raises the failures of ``badges_plugin.distribution.exceptions``."""
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
        # Also past what webhooks have brought, or every poll would look as far back as the first one.
        if not result.waiting:
            polled_until = event.occurred_at or polled_until
    if polled_until is not None:
        # An event from the future would make the next polls see nothing until then.
        CredlyOrganization.objects.filter(pk=organization.pk).update(polled_until=min(polled_until, now))
    return result


def forget_a_batch(now: datetime) -> bool:
    """Forget some events that nobody will ask for any more. Whether there may be more. A chore of the worker."""
    old = CredlyEvent.objects.filter(applied_at__lt=now - _REMEMBERED).order_by("pk")
    keys = list(old.values_list("pk", flat=True)[:_FORGOTTEN_AT_ONCE])
    if keys:
        CredlyEvent.objects.filter(pk__in=keys).delete()
    return len(keys) == _FORGOTTEN_AT_ONCE


def apply_latest(organization: CredlyOrganization) -> None:
    """Apply the newest events, with one request for a page of them. What cannot be applied now comes again.

    Raises the failures of ``badges_plugin.distribution.exceptions``.
    """
    latest = list(islice(client_for(organization).events(), _LATEST))
    for event in reversed(latest):
        with suppress(TransientFailure), skip_on_data_error(f"Credly event {event.id}"):
            if event.organization_id == organization.uuid and not is_applied(event.id):
                apply_event(organization, event)


def _change_template(organization: CredlyOrganization, event: EventRecord) -> None:
    if event.template is not None:
        apply_template(organization, event.template, occurred_at=event.occurred_at)


def _delete_template(organization: CredlyOrganization, event: EventRecord) -> None:
    if event.template is not None:
        remove_template(organization, event.template, occurred_at=event.occurred_at)


def _change_badge(organization: CredlyOrganization, event: EventRecord) -> None:
    if event.badge is not None:
        _set_state(event.badge, event.badge.state, event.occurred_at)


def _delete_badge(organization: CredlyOrganization, event: EventRecord) -> None:
    if event.badge is not None:
        _set_state(event.badge, BadgeState.DELETED, event.occurred_at)


def _set_state(badge: BadgeRecord, state: BadgeState, at: datetime | None) -> None:
    ours = CredlyBadge.objects.filter(issued_badge_id=badge.id)
    if not ours.exists():
        _examine_unknown(badge, state)
        return
    # Badges do not come back: what is revoked or deleted is not made pending by an event that was late.
    final = (BadgeState.DELETED,) if state is BadgeState.DELETED else (BadgeState.REVOKED, BadgeState.DELETED)
    changeable = ours.exclude(state__in=final)
    if at is not None:
        changeable = changeable.filter(Q(state_time=None) | Q(state_time__lte=at))
    if state is not BadgeState.UNKNOWN:
        changeable.update(state=state, state_time=at)


def _examine_unknown(badge: BadgeRecord, state: BadgeState) -> None:
    """A badge that we issued, but do not know of. Raises TransientFailure while an issue is under way.

    Credly may tell of a badge before the answer to our own request was recorded; and it may have carried a request out
    long after we looked for the result, found none, and cancelled it because the award was revoked.
    """
    try:
        credential = UUID(badge.earner_id)
    except ValueError:
        return
    if Delivery.objects.filter(backend=ORIGIN, external_id=str(badge.id)).exists():
        return
    issues = Delivery.objects.filter(backend=ORIGIN, action=Action.ISSUE, award__credential__uuid=credential)
    last = issues.select_related("award").order_by("-pk").first()
    if last is None:
        return
    if last.state in UNSETTLED:
        raise TransientFailure("The issue of the badge is not recorded yet.")
    if last.state == State.CANCELLED and last.award.revoked_at is not None and state in ALIVE:
        logger.warning("Credly has badge %s of award %s, which was revoked: so it is there.", badge.id, last.award_id)
        queueing.revoke_found(last, external_id=str(badge.id))


# https://www.credly.com/docs/webhooks
_HANDLERS: Mapping[str, Callable[[CredlyOrganization, EventRecord], None]] = {
    "badge_template.created": _change_template,
    "badge_template.changed": _change_template,
    "badge_template.deleted": _delete_template,
    "badge.created": _change_badge,
    "badge.state.changed": _change_badge,
    "badge.privacy.changed": _change_badge,
    "badge.deleted": _delete_badge,
}
