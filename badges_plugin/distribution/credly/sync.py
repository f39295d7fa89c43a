"""Mirror Credly's badge templates. Credly decides which exist; what staff configured here is never deleted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from badges_plugin.api import deactivate_template
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
from badges_plugin.distribution.credly.client import client_for
from badges_plugin.distribution.credly.data import TemplatePayload, TemplateState
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.logs import get_logger
from badges_plugin.models import RulesetVersion

logger = get_logger(__name__)

# Credly's clock may differ: an event shortly after a synchronization must not look older.
_CLOCKS_DIFFER = timedelta(minutes=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def sync_organization(organization: CredlyOrganization) -> SyncResult:
    """Bring the organization's templates in line with Credly's.

    Raises the failures of the contract; then nothing was changed, since all pages are read first.
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
    """Return the organization's templates with other ids, except those that are known to be deleted."""
    known = CredlyBadgeTemplate.objects.filter(organization=organization).exclude(uuid__in=ids)
    return known.exclude(state=TemplateState.DELETED, is_active=False)


def apply_template(organization: CredlyOrganization, payload: TemplatePayload, *, occurred_at: datetime | None) -> str:
    """Create or update one template. New ones are inactive; templates that Credly cannot issue become so.

    ``occurred_at`` is the time of the change, None for the present state; older news change nothing. Return "created",
    "updated" or "unchanged".
    """
    # Before it is read: an older event that waits for a newer one must see what that has written.
    RulesetVersion.hold()
    template = CredlyBadgeTemplate.objects.filter(uuid=payload.id).first()
    if template is None:
        try:
            with transaction.atomic():
                _create(organization, payload, occurred_at)
        except IntegrityError:
            # A webhook and a synchronization at the same time: the other was faster.
            template = CredlyBadgeTemplate.objects.get(uuid=payload.id)
        else:
            return "created"
    if template.organization_id != organization.pk:
        logger.error("Credly badge template %s belongs to another organization here and is not changed.", payload.id)
        return "unchanged"
    if not _is_newer(template, occurred_at):
        return "unchanged"
    _save_time(template, occurred_at)
    return "updated" if _update(template, payload) else "unchanged"


def remove_template(
    organization: CredlyOrganization, payload: TemplatePayload, *, occurred_at: datetime | None
) -> None:
    """Deactivate a template that Credly has deleted; everything that belongs to it is kept."""
    RulesetVersion.hold()
    template = CredlyBadgeTemplate.objects.filter(uuid=payload.id, organization=organization).first()
    if template is None or not _is_newer(template, occurred_at):
        return
    _save_time(template, occurred_at)
    _mark_deleted(template)


def _mark_deleted(template: CredlyBadgeTemplate) -> bool:
    """Mark a template as deleted, so that nobody activates it again. Return whether it was active until now."""
    was_active = deactivate_gone(template, {"state": TemplateState.DELETED})
    if was_active:
        logger.warning("Credly badge template %s is deactivated: Credly no longer has it.", template.uuid)
    return was_active


def _create(organization: CredlyOrganization, payload: TemplatePayload, occurred_at: datetime | None) -> None:
    template = CredlyBadgeTemplate.objects.create(
        uuid=payload.id, site=default_site(), organization=organization, is_active=False, **_values(payload, None)
    )
    _save_time(template, occurred_at)


def _is_newer(template: CredlyBadgeTemplate, occurred_at: datetime | None) -> bool:
    return occurred_at is None or template.as_of is None or template.as_of <= occurred_at


def _save_time(template: CredlyBadgeTemplate, occurred_at: datetime | None) -> None:
    as_of = occurred_at or max(timezone.now() - _CLOCKS_DIFFER, template.as_of or _LONG_AGO)
    # Without the template's own manager: a new time is no new configuration, and the rules need not be compiled again.
    QuerySet(CredlyBadgeTemplate).filter(pk=template.pk).update(as_of=as_of)


def _update(template: CredlyBadgeTemplate, payload: TemplatePayload) -> bool:
    changed = take_over(template, _values(payload, template))
    if template.is_active and payload.state is TemplateState.ARCHIVED:
        deactivate_template(template)
        logger.warning("Credly badge template %s is deactivated: it is archived at Credly.", template.uuid)
        return True
    return changed


def _values(payload: TemplatePayload, known: CredlyBadgeTemplate | None) -> dict[str, str]:
    return {
        "name": name_for(payload, known),
        "description": payload.description,
        "icon": payload.image_url,
        "state": payload.state,
    }
