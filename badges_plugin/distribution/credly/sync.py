"""Mirroring Credly's badge templates. Credly decides what there is; what staff configured here is never deleted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from badges_plugin.api import deactivate_template
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
from badges_plugin.distribution.credly.data import TemplateRecord, TemplateState
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.credly.organizations import client_for
from badges_plugin.logs import get_logger
from badges_plugin.models import RulesetVersion

logger = get_logger(__name__)

# Credly's clock and ours: an event that follows a synchronization closely must not look older.
_CLOCKS_DIFFER = timedelta(minutes=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def sync_organization(organization: CredlyOrganization) -> SyncResult:
    """Bring the organization's templates in line with Credly's.

    Raises the failures of ``badges_plugin.distribution.exceptions``; then nothing was changed, since all pages are read
    first.
    """
    client = client_for(organization)
    name = client.organization().name
    result = mirror(
        client.badge_templates,
        known_without=partial(_known_without, organization),
        apply=partial(apply_template, organization, occurred_at=None),
        mark_gone=_mark_deleted,
    )
    CredlyOrganization.objects.filter(pk=organization.pk).update(
        name=one_line(name)[:MAX_NAME_LENGTH] or organization.name, synced_at=timezone.now()
    )
    return result


def _known_without(organization: CredlyOrganization, ids: Collection[UUID]) -> QuerySet[CredlyBadgeTemplate]:
    """Templates of the organization that are not among these, but for those that are known to be deleted."""
    known = CredlyBadgeTemplate.objects.filter(organization=organization).exclude(uuid__in=ids)
    return known.exclude(state=TemplateState.DELETED.value, is_active=False)


def apply_template(organization: CredlyOrganization, record: TemplateRecord, *, occurred_at: datetime | None) -> str:
    """Create or update the one template. New ones are inactive, and so become those that Credly cannot issue.

    ``occurred_at`` is when it became like that, None that it is like that now; what is older than what is known changes
    nothing. Returns "created", "updated" or "unchanged".
    """
    # Before it is read: an older event that waits for a newer one must find what that has written.
    RulesetVersion.hold()
    template = CredlyBadgeTemplate.objects.filter(uuid=record.id).first()
    if template is None:
        try:
            with transaction.atomic():
                _create(organization, record, occurred_at)
        except IntegrityError:
            # A webhook and a synchronization at the same time: the other one was faster.
            template = CredlyBadgeTemplate.objects.get(uuid=record.id)
        else:
            return "created"
    if template.organization_id != organization.pk:
        logger.error("Credly badge template %s belongs to another organization here and is left alone.", record.id)
        return "unchanged"
    if not _is_news(template, occurred_at):
        return "unchanged"
    _note_time(template, occurred_at)
    return "updated" if _update(template, record) else "unchanged"


def remove_template(organization: CredlyOrganization, record: TemplateRecord, *, occurred_at: datetime | None) -> None:
    """Credly has deleted the template: it is deactivated here, and everything that belongs to it stays."""
    RulesetVersion.hold()
    template = CredlyBadgeTemplate.objects.filter(uuid=record.id, organization=organization).first()
    if template is None or not _is_news(template, occurred_at):
        return
    _note_time(template, occurred_at)
    _mark_deleted(template)


def _mark_deleted(template: CredlyBadgeTemplate) -> bool:
    """Note that Credly has it no more, so that nobody activates it again. Whether it was active until now."""
    was_active = retire(template, {"state": TemplateState.DELETED.value})
    if was_active:
        logger.warning("Credly badge template %s is deactivated: Credly no longer has it.", template.uuid)
    return was_active


def _create(organization: CredlyOrganization, record: TemplateRecord, occurred_at: datetime | None) -> None:
    template = CredlyBadgeTemplate.objects.create(
        uuid=record.id, site=default_site(), organization=organization, is_active=False, **_values(record, None)
    )
    _note_time(template, occurred_at)


def _is_news(template: CredlyBadgeTemplate, occurred_at: datetime | None) -> bool:
    return occurred_at is None or template.as_of is None or template.as_of <= occurred_at


def _note_time(template: CredlyBadgeTemplate, occurred_at: datetime | None) -> None:
    as_of = occurred_at or max(timezone.now() - _CLOCKS_DIFFER, template.as_of or _LONG_AGO)
    # Past the template's own manager: a new time is no new configuration, and must not have the rules compiled again.
    QuerySet(CredlyBadgeTemplate).filter(pk=template.pk).update(as_of=as_of)


def _update(template: CredlyBadgeTemplate, record: TemplateRecord) -> bool:
    changed = take_over(template, _values(record, template))
    if template.is_active and record.state is TemplateState.ARCHIVED:
        deactivate_template(template)
        logger.warning("Credly badge template %s is deactivated: it is archived at Credly.", template.uuid)
        return True
    return changed


def _values(record: TemplateRecord, known: CredlyBadgeTemplate | None) -> dict[str, str]:
    return {
        "name": name_for(record, known),
        "description": record.description,
        "icon": record.image_url,
        "state": record.state.value,
    }
