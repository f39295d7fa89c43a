"""Claim deliveries for a worker: claims expire, and the deliveries of one badge are claimed one by one, in order.

A delivery can be claimed when it is due, its channel is open, and every earlier delivery of the same badge (same
progress, same backend) is settled. So a revocation follows its issue, and the next award's issue follows the
revocation.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import uuid4

from django.db import DatabaseError, connections, router, transaction
from django.db.models import Count, F, Prefetch, Q, QuerySet
from django.utils.translation import gettext_noop

from badges_plugin.distribution import registry
from badges_plugin.distribution.channels import open_channels, probe_channels
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import UNSETTLED, RetryPolicy, State, later
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeProgress

logger = get_logger(__name__)

_MAX_RECOVERED = 500
_MAX_PAGE = 1000
_NO_RESULT = gettext_noop("The worker gave no result in time. The badge is looked up at the provider.")


def claim(limit: int, *, worker: str, lease: float, now: datetime, policy: RetryPolicy) -> list[Delivery]:
    """Claim free deliveries for up to ``limit`` requests, with their related rows, for ``lease`` seconds.

    That is as many deliveries. Only where more are waiting, a request to a provider that takes several is filled.
    ``worker`` names the process; the name of the claim in ``claimed_by`` is unique, so that a late result of an expired
    claim is recognized.
    """
    token = f"{worker[:90]}/{uuid4().hex}"
    try:
        return _claim(token, limit, lease, now, policy)
    except Exception:
        give_back(token)
        raise


def give_back(token: str) -> None:
    """Make what was claimed free again, when nothing of it was sent. If that fails, the claim expires.

    A deadlock, say, must not hold badges up for as long as a claim lasts.
    """
    with suppress(DatabaseError):
        Delivery.objects.filter(claimed_by=token, state=State.SENDING).update(
            state=State.PENDING, claimed_by="", claimed_until=None, attempts=F("attempts") - 1
        )


def _claim(token: str, limit: int, lease: float, now: datetime, policy: RetryPolicy) -> list[Delivery]:
    due = _due(now)
    channels = open_channels(now, policy)
    taken = _take(_first(due, [channel.pk for channel in channels], limit), limit, token, lease, now)
    if taken == limit and any(registry.get(channel.backend).bulk_size() > 1 for channel in channels):
        _take_backlog(due, token, lease, now)
    for probed in probe_channels(now, policy) if taken < limit else ():
        taken += _take(_first(due, [probed], 1), 1, token, lease, now)
    if not taken:
        return []
    # Not one query for all: MySQL and MariaDB begin it with the templates, of which there are few, and read the
    # progress of every learner of them.
    progress = BadgeProgress.objects.select_related("user__badges_learner")
    return list(
        Delivery.objects.filter(claimed_by=token)
        .select_related("channel", "award__credential")
        .prefetch_related(Prefetch("award__progress", progress), "award__progress__template")
        .order_by("pk")
    )


def _take_backlog(due: QuerySet[Delivery], token: str, lease: float, now: datetime) -> None:
    """Claim more issues for the requests that can carry several, so that each of them is filled.

    Of the claimed deliveries' own channels only: others were not their turn yet.
    """
    mine = Delivery.objects.filter(claimed_by=token, action=Action.ISSUE, in_doubt=False)
    for backend, channel, requests in mine.values_list("backend", "channel").annotate(Count("pk")).order_by("channel"):
        more = requests * (registry.get(backend).bulk_size() - 1)
        if more:
            same = due.filter(action=Action.ISSUE, in_doubt=False)
            _take(_first(same, [channel], more), more, token, lease, now)


def recover_expired(now: datetime) -> int:
    """Release deliveries whose claims have expired; whether they were sent is unknown. Return how many.

    Each says so in the admin and in the log: otherwise nobody would notice a provider, or a program, that hangs.
    """
    expired = Delivery.objects.filter(state=State.SENDING, claimed_until__lt=now).order_by("pk")
    return sum(_release(delivery, now) for delivery in expired[:_MAX_RECOVERED])


def _release(delivery: Delivery, now: datetime) -> bool:
    # By the claim: another worker may have released it, or its result may have come after all.
    held = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, claimed_by=delivery.claimed_by)
    taken = held.update(
        state=State.PENDING,
        in_doubt=True,
        next_attempt_at=now,
        claimed_by="",
        claimed_until=None,
        last_error=_NO_RESULT,
    )
    if taken:
        logger.warning("Delivery %s is released: %s gave no result in time.", delivery.pk, delivery.claimed_by)
    return bool(taken)


def _due(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(state=State.PENDING, next_attempt_at__lte=now).order_by("next_attempt_at", "pk")


def _first(due: QuerySet[Delivery], channels: Collection[int], limit: int) -> list[int]:
    """Return the deliveries of some channels that were due first, more than ``limit``: other workers want them too.

    Queries for each channel: one for several would read everything that was due earlier and waits for a closed one.
    """
    wanted = limit * 3
    found: list[tuple[datetime, int]] = []
    for channel in channels:
        found += _first_of(due.filter(channel=channel), wanted)
    return [pk for _, pk in sorted(found)[:wanted]]


def _first_of(due: QuerySet[Delivery], wanted: int) -> list[tuple[datetime, int]]:
    """Return so many free deliveries of one channel that were due first, each with that time, or all that are free."""
    found: list[tuple[datetime, int]] = []
    rest, size = due, wanted
    while True:
        page = list(rest.values_list("next_attempt_at", "pk", "award__progress", "backend")[:size])
        if not page:
            return found
        first = _unsettled({progress for _, _, progress, _ in page})
        found += [(moment, pk) for moment, pk, progress, backend in page if first.get((progress, backend), pk) >= pk]
        if len(page) < size or len(found) >= wanted:
            return found[:wanted]
        # After an outage thousands may wait for others, and each claim looks at them.
        size = max(size, min(4 * size, _MAX_PAGE))
        last, last_pk = page[-1][:2]
        rest = due.filter(Q(next_attempt_at__gt=last) | Q(next_attempt_at=last, pk__gt=last_pk))


def _unsettled(progress: Collection[int]) -> dict[tuple[int, str], int]:
    """Return the earliest unsettled delivery of each badge and backend; ``progress`` are the badges.

    A query by keys. As a condition of the one before, MySQL and MariaDB may read all deliveries of a backend for each.
    """
    rows = Delivery.objects.filter(award__progress__in=progress, state__in=UNSETTLED).order_by("-pk")
    return {(of, backend): pk for of, backend, pk in rows.values_list("award__progress", "backend", "pk")}


def _take(ids: Sequence[int], limit: int, token: str, lease: float, now: datetime) -> int:
    # Read without locks, then locked by primary key alone: a delivery stays claimable until it is claimed, and locks on
    # joined tables would block awards.
    if not ids:
        return 0
    still_due = Delivery.objects.filter(pk__in=ids, state=State.PENDING, next_attempt_at__lte=now)
    with transaction.atomic():
        if connections[router.db_for_write(Delivery)].features.has_select_for_update_skip_locked:
            free = still_due.select_for_update(skip_locked=True).order_by("pk")
            ids = list(free.values_list("pk", flat=True)[:limit])
        # The condition is the claim itself where rows cannot be locked.
        return still_due.filter(pk__in=ids[:limit]).update(
            state=State.SENDING,
            claimed_by=token,
            claimed_until=later(now, lease),
            attempts=F("attempts") + 1,
        )
