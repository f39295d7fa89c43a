"""What need not be kept for ever: old attempts, and deliveries of badges that are history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from badges_plugin.distribution.data import Action
from badges_plugin.distribution.models import Delivery, DeliveryAttempt
from badges_plugin.distribution.retry import SETTLED, UNSETTLED

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows were, or would be, deleted."""

    attempts: int
    deliveries: int


def purge(now: datetime, *, attempts_days: int, deliveries_days: int, dry_run: bool = False) -> Purged:
    """Delete old attempts of settled deliveries, and old settled deliveries of awards that are revoked everywhere.

    The issue of an award that stands is never deleted: it holds the provider's id, which a revocation needs.
    """
    attempts = DeliveryAttempt.objects.filter(
        started_at__lt=now - timedelta(days=attempts_days), delivery__state__in=SETTLED
    )
    deliveries = _history(now - timedelta(days=deliveries_days))
    if dry_run:
        return Purged(attempts.count(), deliveries.count())
    return Purged(_delete(attempts), _delete(deliveries))


def _history(before: datetime) -> QuerySet[Delivery]:
    siblings = Delivery.objects.filter(award=OuterRef("award"), backend=OuterRef("backend"))
    newer_awards = Delivery.objects.filter(
        award__progress=OuterRef("award__progress"),
        backend=OuterRef("backend"),
        award__number__gt=OuterRef("award__number"),
    )
    return (
        Delivery.objects.filter(state__in=SETTLED, settled_at__lt=before, award__revoked_at__isnull=False)
        .exclude(Exists(siblings.filter(state__in=UNSETTLED)))
        # While a later issue is in doubt, the ids of earlier badges say which one is not its own.
        .exclude(Exists(newer_awards.filter(state__in=UNSETTLED, action=Action.ISSUE)))
    )


def _delete(rows: QuerySet[DeliveryAttempt] | QuerySet[Delivery]) -> int:
    """In batches, so that no lock is held for long."""
    deleted = 0
    while ids := list(rows.values_list("pk", flat=True)[:_BATCH]):
        # By their keys alone: with the condition, MySQL and MariaDB would also lock the deliveries that it looks at, in
        # the order of the attempts, and an event that revokes several badges holds them in another.
        rows.model._base_manager.filter(pk__in=ids).delete()  # noqa: SLF001  Django's documented name
        deleted += len(ids)
    return deleted
