"""Delete failed events, which name learners, when they are old or name a given learner."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import QuerySet

from badges_plugin.conf import config
from badges_plugin.data import Deferral
from badges_plugin.logs import get_logger
from badges_plugin.models import FailedEvent

logger = get_logger(__name__)

BATCH = 500

DECIDED = (FailedEvent.State.PROCESSED, FailedEvent.State.DISMISSED)


def purge(before: datetime, *, also_undecided: bool = False, dry_run: bool = False) -> int:
    """Delete failed events that have not changed since ``before``; return how many were, or would be, deleted.

    Events about which nobody has decided are kept unless ``also_undecided``: each may be a missing badge.
    """
    old = [_decided(before), *([_undecided(before)] if also_undecided else [])]
    return sum(rows.count() if dry_run else _delete_all(rows) for rows in old)


def purge_a_batch(now: datetime, *, batch: int = BATCH) -> bool:
    """Delete some of the failed events that are older than the settings allow; return whether there may be more.

    Part of the worker's housekeeping; any number of workers may do it at the same time.
    """
    deleted = [_delete(list(rows.values_list("pk", flat=True)[:batch]), dry_run=False) for rows in overdue(now)]
    if sum(deleted):
        logger.info("%d old failed events were deleted.", sum(deleted))
    return batch in deleted


def overdue(now: datetime) -> Iterator[QuerySet[FailedEvent]]:
    """Yield the failed events that are older than the settings allow: the decided, the undecided."""
    keep = config().retention
    if keep.decided_failed_events_days is not None:
        yield _decided(now - timedelta(days=keep.decided_failed_events_days))
    if keep.undecided_failed_events_days is not None:
        yield _undecided(now - timedelta(days=keep.undecided_failed_events_days))


def _decided(before: datetime) -> QuerySet[FailedEvent]:
    return FailedEvent.objects.order_by("pk").filter(state__in=DECIDED, updated_at__lt=before)


def _undecided(before: datetime) -> QuerySet[FailedEvent]:
    """Return undecided events by the time of their last change; attempts do not count.

    The age of an event from the future is counted from its own time, before which it cannot be applied.
    """
    rows = FailedEvent.objects.order_by("pk").exclude(state__in=DECIDED).filter(updated_at__lt=before)
    return rows.exclude(cause=Deferral.FUTURE.value, event_time__gte=before)


def forget(username: str, *, dry_run: bool = False) -> int:
    """Delete every failed event that names a learner, decoded or not; return how many were, or would be, deleted."""
    return _delete(list(_naming(username)), dry_run=dry_run)


def _naming(username: str) -> Iterator[int]:
    """Yield the keys of rows that contain the name as a value, or in the bytes of a message that was not decoded.

    Searched here, not in the database: each database writes the characters of a name in JSON differently.
    """
    quoted = json.dumps(username)
    columns = FailedEvent.objects.values_list("pk", "payload", "metadata", "raw")
    for pk, payload, metadata, raw in columns.iterator(chunk_size=BATCH):
        readable = quoted in json.dumps(payload) or quoted in json.dumps(metadata)
        if readable or (payload is None and username.encode() in bytes(raw or b"")):
            yield pk


def _delete_all(rows: QuerySet[FailedEvent]) -> int:
    """Delete rows batch by batch, each committed by itself: whoever interrupts this keeps what was done."""
    deleted = 0
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        deleted += _delete(keys, dry_run=False)
    return deleted


def _delete(keys: list[int], *, dry_run: bool) -> int:
    """Delete rows in batches, so that no lock is held for long."""
    if not dry_run:
        for start in range(0, len(keys), BATCH):
            FailedEvent.objects.filter(pk__in=keys[start : start + BATCH]).delete()
    return len(keys)
