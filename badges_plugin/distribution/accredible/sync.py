"""Mirroring Accredible's groups. Accredible decides what there is; what staff configured here is never deleted."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from badges_plugin.distribution.accounts.records import one_line
from badges_plugin.distribution.accounts.sync import (
    MAX_NAME_LENGTH,
    SyncResult,
    default_site,
    mirror,
    name_for,
    retire,
    take_over,
)
from badges_plugin.distribution.accredible.configurations import client_for
from badges_plugin.distribution.accredible.data import GroupRecord
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleGroup
from badges_plugin.logs import get_logger

logger = get_logger(__name__)


def sync_groups(api_config: AccredibleApiConfig) -> SyncResult:
    """Bring the configuration's groups, and no other's, in line with Accredible's.

    Raises the failures of ``badges_plugin.distribution.exceptions``; then nothing was changed, since all pages are read
    first.
    """
    result = mirror(
        client_for(api_config).groups,
        known_without=partial(_known_without, api_config),
        apply=partial(_apply, api_config),
        mark_gone=_mark_gone,
    )
    AccredibleApiConfig.objects.filter(pk=api_config.pk).update(synced_at=timezone.now())
    return result


def _known_without(api_config: AccredibleApiConfig, ids: Collection[int]) -> QuerySet[AccredibleGroup]:
    """Groups of the configuration that are not among these, but for those that are known to be gone."""
    known = AccredibleGroup.objects.filter(api_config=api_config).exclude(group_id__in=ids)
    return known.exclude(is_gone=True, is_active=False)


def _mark_gone(group: AccredibleGroup) -> bool:
    """Note that Accredible shows it no more, so that nobody activates it again. Whether it was active until now."""
    was_active = retire(group, {"is_gone": True})
    if was_active:
        logger.warning("Accredible group %s is deactivated: %s no longer shows it.", group.group_id, group.api_config)
    return was_active


def _apply(api_config: AccredibleApiConfig, record: GroupRecord) -> str:
    """Create or update one group; new ones are inactive. Returns "created", "updated" or "unchanged"."""
    known = AccredibleGroup.objects.filter(api_config=api_config, group_id=record.id)
    group = known.first()
    if group is None:
        try:
            with transaction.atomic():
                AccredibleGroup.objects.create(
                    api_config=api_config,
                    group_id=record.id,
                    site=default_site(),
                    is_active=False,
                    **_values(record, None),
                )
        except IntegrityError:
            # Two synchronizations at the same time: the other one was faster.
            group = known.get()
        else:
            return "created"
    return "updated" if take_over(group, _values(record, group)) else "unchanged"


def _values(record: GroupRecord, known: AccredibleGroup | None) -> dict[str, object]:
    return {
        "name": name_for(record, known),
        "description": record.description,
        "course_name": one_line(record.course_name)[:MAX_NAME_LENGTH],
        "is_gone": False,
    }
