"""Mirror Accredible's groups. Accredible decides which exist; what staff configured here is never deleted."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from badges_plugin.distribution.accounts.payloads import one_line
from badges_plugin.distribution.accounts.sync import (
    MAX_NAME_LENGTH,
    SyncResult,
    deactivate_gone,
    default_site,
    mirror,
    name_for,
    take_over,
)
from badges_plugin.distribution.accredible.client import client_for
from badges_plugin.distribution.accredible.data import GroupPayload
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleGroup
from badges_plugin.logs import get_logger

logger = get_logger(__name__)


def sync_groups(api_config: AccredibleApiConfig) -> SyncResult:
    """Bring the configuration's groups, and no other's, in line with Accredible's.

    Raises the failures of the contract; then nothing was changed, since all pages are read first.
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
    """Return the configuration's groups with other ids, except those that are known to be gone."""
    known = AccredibleGroup.objects.filter(api_config=api_config).exclude(group_id__in=ids)
    return known.exclude(is_gone=True, is_active=False)


def _mark_gone(group: AccredibleGroup) -> bool:
    """Mark a group as gone, so that nobody activates it again. Return whether it was active until now."""
    was_active = deactivate_gone(group, {"is_gone": True})
    if was_active:
        logger.warning("Accredible group %s is deactivated: %s no longer shows it.", group.group_id, group.api_config)
    return was_active


def _apply(api_config: AccredibleApiConfig, payload: GroupPayload) -> str:
    """Create or update one group; new ones are inactive. Return "created", "updated" or "unchanged"."""
    known = AccredibleGroup.objects.filter(api_config=api_config, group_id=payload.id)
    group = known.first()
    if group is None:
        try:
            with transaction.atomic():
                AccredibleGroup.objects.create(
                    api_config=api_config,
                    group_id=payload.id,
                    site=default_site(),
                    is_active=False,
                    **_values(payload, None),
                )
        except IntegrityError:
            # Two synchronizations at the same time: the other was faster.
            group = known.get()
        else:
            return "created"
    return "updated" if take_over(group, _values(payload, group)) else "unchanged"


def _values(payload: GroupPayload, known: AccredibleGroup | None) -> dict[str, object]:
    return {
        "name": name_for(payload, known),
        "description": payload.description,
        "course_name": one_line(payload.course_name)[:MAX_NAME_LENGTH],
        "is_gone": False,
    }
