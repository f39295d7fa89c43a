"""Mirroring Accredible's groups. Accredible decides what there is; what staff configured here is never deleted."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.contrib.sites.models import Site
from django.db import IntegrityError, transaction
from django.utils import timezone

from badges_plugin.api import deactivate_template
from badges_plugin.distribution.accredible.configurations import client_for
from badges_plugin.distribution.accredible.data import GroupRecord
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleGroup

logger = logging.getLogger(__name__)

_LONGEST_NAME = 255


@dataclass(slots=True)
class SyncResult:
    """How many groups of one API configuration were what."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deactivated: int = 0

    @property
    def total(self) -> int:
        """Groups that exist at Accredible."""
        return self.created + self.updated + self.unchanged


def sync_groups(api_config: AccredibleApiConfig) -> SyncResult:
    """Bring the configuration's groups, and no other's, in line with Accredible's.

    Raises the failures of `badges_plugin.distribution.failures`; then nothing was changed, since all pages are read
    first.
    """
    records = list(client_for(api_config).groups())
    result = SyncResult()
    for record in records:
        word = _apply(api_config, record)
        setattr(result, word, getattr(result, word) + 1)
    vanished = AccredibleGroup.objects.filter(api_config=api_config, is_active=True).exclude(
        group_id__in=[record.id for record in records]
    )
    for group in vanished:
        deactivate_template(group)
        logger.warning("Accredible group %s is deactivated: %s no longer shows it.", group.group_id, api_config)
        result.deactivated += 1
    AccredibleApiConfig.objects.filter(pk=api_config.pk).update(synced_at=timezone.now())
    return result


def _apply(api_config: AccredibleApiConfig, record: GroupRecord) -> str:
    """Create or update one group; new ones are inactive. Returns "created", "updated" or "unchanged"."""
    known = AccredibleGroup.objects.filter(api_config=api_config, group_id=record.id)
    group = known.first()
    if group is None:
        try:
            with transaction.atomic():
                AccredibleGroup.objects.create(
                    api_config=api_config, group_id=record.id, site=_site(), is_active=False, **_values(record)
                )
        except IntegrityError:
            # Two synchronizations at the same time: the other one was faster.
            group = known.get()
        else:
            return "created"
    return "updated" if _update(group, record) else "unchanged"


def _update(group: AccredibleGroup, record: GroupRecord) -> bool:
    changed = {name: value for name, value in _values(record).items() if getattr(group, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(group, name, value)
        group.save(update_fields=[*changed, "modified"])
    return bool(changed)


def _values(record: GroupRecord) -> dict[str, str]:
    # `name` is the issuer's own word for the group; learners see the course name.
    return {
        "name": (record.course_name or record.name)[:_LONGEST_NAME],
        "description": record.description,
        "course_name": record.course_name[:_LONGEST_NAME],
    }


def _site() -> Site:
    # A management command has no request to tell the site; staff can change it in the admin.
    site = Site.objects.order_by("pk").first()
    if site is None:
        raise Site.DoesNotExist("There is no site. Create one in the admin under Sites.")
    return site
