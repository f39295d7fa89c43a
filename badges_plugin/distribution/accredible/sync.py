"""Mirroring Accredible's groups. Accredible decides what there is; what staff configured here is never deleted."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from badges_plugin.api import deactivate_template
from badges_plugin.distribution.accounts.sync import SyncResult, default_site, take_over
from badges_plugin.distribution.accredible.configurations import client_for
from badges_plugin.distribution.accredible.data import GroupRecord
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleGroup

logger = logging.getLogger(__name__)

_LONGEST_NAME = 255


def sync_groups(api_config: AccredibleApiConfig) -> SyncResult:
    """Bring the configuration's groups, and no other's, in line with Accredible's.

    Raises the failures of `badges_plugin.distribution.failures`; then nothing was changed, since all pages are read
    first.
    """
    client = client_for(api_config)
    records = {record.id: record for record in client.groups()}
    if _known_without(api_config, records).exists():
        # Pages are counted: a group that is deleted at Accredible meanwhile moves another one past the reader.
        records |= {record.id: record for record in client.groups()}
    result = SyncResult()
    for record in records.values():
        result.count(_apply(api_config, record))
    for group in _known_without(api_config, records):
        result.deactivated += _mark_gone(group)
    AccredibleApiConfig.objects.filter(pk=api_config.pk).update(synced_at=timezone.now())
    return result


def _known_without(api_config: AccredibleApiConfig, ids: Iterable[int]) -> QuerySet[AccredibleGroup]:
    """Groups of the configuration that are not among these, but for those that are known to be gone."""
    known = AccredibleGroup.objects.filter(api_config=api_config).exclude(group_id__in=list(ids))
    return known.exclude(is_gone=True, is_active=False)


def _mark_gone(group: AccredibleGroup) -> bool:
    """Note that Accredible shows it no more, so that nobody activates it again. Whether it was active until now."""
    take_over(group, {"is_gone": True})
    if not group.is_active:
        return False
    deactivate_template(group)
    logger.warning("Accredible group %s is deactivated: %s no longer shows it.", group.group_id, group.api_config)
    return True


def _apply(api_config: AccredibleApiConfig, record: GroupRecord) -> str:
    """Create or update one group; new ones are inactive. Returns "created", "updated" or "unchanged"."""
    known = AccredibleGroup.objects.filter(api_config=api_config, group_id=record.id)
    group = known.first()
    if group is None:
        try:
            with transaction.atomic():
                AccredibleGroup.objects.create(
                    api_config=api_config, group_id=record.id, site=default_site(), is_active=False, **_values(record)
                )
        except IntegrityError:
            # Two synchronizations at the same time: the other one was faster.
            group = known.get()
        else:
            return "created"
    return "updated" if take_over(group, _values(record)) else "unchanged"


def _values(record: GroupRecord) -> dict[str, object]:
    # `name` is the issuer's own word for the group; learners see the course name.
    return {
        "name": (record.course_name or record.name)[:_LONGEST_NAME],
        "description": record.description,
        "course_name": record.course_name[:_LONGEST_NAME],
        "is_gone": False,
    }
