"""Delete old attempts, and old deliveries of badges that are revoked everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from badges_plugin.distribution.conf import config
from badges_plugin.distribution.data import Action
from badges_plugin.distribution.models import Delivery, DeliveryAttempt
from badges_plugin.distribution.retry import SETTLED, UNSETTLED
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Purged:
    """The numbers of rows that were, or would be, deleted."""

    attempts: int
    deliveries: int


def purge(now: datetime, *, attempts_days: int | None, deliveries_days: int | None, dry_run: bool = False) -> Purged:
    """Delete old attempts, and old settled deliveries of awards that are revoked everywhere. None deletes nothing.

    The issue of an award that stands is never deleted: it holds the provider's id, which a revocation needs.
    """
    attempts, deliveries = old_attempts(now, attempts_days), old_deliveries(now, deliveries_days)
    if dry_run:
        return Purged(attempts.count(), deliveries.count())
    return Purged(_delete(attempts), _delete(deliveries))


def purge_a_batch(now: datetime) -> bool:
    """Delete some of the rows that are older than the settings allow. Return whether there may be more. A chore."""
    settings = config()
    attempts = _delete_a_batch(old_attempts(now, settings.keep_attempts_days))
    deliveries = _delete_a_batch(old_deliveries(now, settings.keep_deliveries_days))
    if attempts or deliveries:
        logger.info("%d old attempts and %d old deliveries were deleted.", attempts, deliveries)
    return _BATCH in {attempts, deliveries}


def old_attempts(now: datetime, days: int | None) -> QuerySet[DeliveryAttempt]:
    """Return old attempts of settled deliveries and, of those that keep failing, all attempts but the last."""
    if days is None:
        return DeliveryAttempt.objects.none()
    needless = Q(delivery__state__in=SETTLED) | Q(number__lt=F("delivery__attempts"))
    return DeliveryAttempt.objects.filter(needless, started_at__lt=now - timedelta(days=days)).order_by("pk")


def old_deliveries(now: datetime, days: int | None) -> QuerySet[Delivery]:
    """Return old settled deliveries of awards that are revoked everywhere."""
    return Delivery.objects.none() if days is None else _history(now - timedelta(days=days)).order_by("pk")


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
        # While a later issue is in doubt, the ids of earlier badges tell which badges are not its own.
        .exclude(Exists(newer_awards.filter(state__in=UNSETTLED, action=Action.ISSUE)))
    )


def _delete(rows: QuerySet[DeliveryAttempt] | QuerySet[Delivery]) -> int:
    deleted = 0
    while batch := _delete_a_batch(rows):
        deleted += batch
    return deleted


def _delete_a_batch(rows: QuerySet[DeliveryAttempt] | QuerySet[Delivery]) -> int:
    """Delete a few rows, so that no lock is held for long. Return how many."""
    ids = list(rows.values_list("pk", flat=True)[:_BATCH])
    if ids:
        # By their keys alone: with the condition, MySQL and MariaDB would also lock the deliveries that it reads, in
        # the order of the attempts, and an event that revokes several badges locks them in another.
        rows.model._base_manager.filter(pk__in=ids).delete()  # noqa: SLF001  Django's documented name
    return len(ids)
