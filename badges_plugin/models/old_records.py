"""Delete records of the configuration that are older than the settings allow."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from badges_plugin.conf import config
from badges_plugin.logs import get_logger
from badges_plugin.models.records import BEGAN, DELETED, Records, all_records

logger = get_logger(__name__)

BATCH = 500


def purge_a_batch(now: datetime) -> bool:
    """Delete some of the records that are too old; return whether there may be more.

    The last state of what there is stays, without a name, as what there was when the history began. Part of the
    worker's housekeeping; any number of workers may do it at the same time.
    """
    days = config().retention.configuration_history_days
    if days is None:
        return False
    deleted = [_purge(records, now - timedelta(days=days)) for records in all_records()]
    if sum(deleted):
        logger.info("%d old records of the configuration were deleted.", sum(deleted))
    return BATCH in deleted


def _purge(records: Records, before: datetime) -> int:
    old = records.records.filter(history_date__lt=before)
    newer = old.filter(id=OuterRef("id"), history_id__gt=OuterRef("history_id"))
    # In their order: a deletion goes after what it ended, which would otherwise look like something that there is.
    past = old.filter(Q(history_type=DELETED) | Exists(newer)).order_by("history_id")
    keys = list(past.values_list("history_id", flat=True)[:BATCH])
    if keys:
        records.records.filter(history_id__in=keys).delete()
    if len(keys) < BATCH:
        old.exclude(history_change_reason=BEGAN).update(
            history_change_reason=BEGAN, history_type="+", history_user=None
        )
    return len(keys)
