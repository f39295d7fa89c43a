"""Payloads of Credly's API, as far as they are needed, read from its JSON.

Unknown attributes are ignored: Credly may add some at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.accounts.payloads import UnexpectedReply, one_line, text
from badges_plugin.distribution.api import web_url

StateT = TypeVar("StateT", bound=TextChoices)


class TemplateState(TextChoices):
    """States of https://www.credly.com/docs/badge_templates ."""

    DRAFT = "draft", _("draft")
    ACTIVE = "active", _("active")
    ARCHIVED = "archived", _("archived")
    #: Not Credly's word: an event said so, or Credly no longer lists the template.
    DELETED = "deleted", _("deleted")
    UNKNOWN = "unknown", _("unknown")


class BadgeState(TextChoices):
    """States of https://www.credly.com/docs/issued_badges ; "created" is ours: Credly has not issued it yet."""

    CREATED = "created", _("not at Credly yet")
    PENDING = "pending", _("pending")
    ACCEPTED = "accepted", _("accepted")
    REJECTED = "rejected", _("rejected")
    REVOKED = "revoked", _("revoked")
    DELETED = "deleted", _("deleted")
    UNKNOWN = "unknown", _("unknown")


# The states of a badge that exists; Credly may change one into another without our knowledge.
VALID = frozenset({BadgeState.PENDING, BadgeState.ACCEPTED, BadgeState.REJECTED, BadgeState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class OrganizationPayload:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class TemplatePayload:
    id: UUID
    name: str
    description: str
    image_url: str
    state: TemplateState

    @property
    def title(self) -> str:
        """The name as it is shown; empty when none of it is visible."""
        return one_line(self.name)


@dataclass(frozen=True, slots=True)
class BadgePayload:
    """An issued badge.

    .. pii: Carries the e-mail address a badge was issued to, in memory; never logged.
    .. pii_types: email_address
    .. pii_retirement: retained
    """

    id: UUID
    state: BadgeState
    template_id: UUID | None
    accept_badge_url: str
    earner_id: str
    recipient_email: str = field(repr=False)
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    replaces: str = ""
    replaced_by: str = ""

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def counts(self) -> bool:
        """Whether it is a badge that its earner has. One that was replaced keeps its state."""
        return self.state in VALID and not self.replaced_by


@dataclass(frozen=True, slots=True)
class EventPayload:
    """An event at Credly. ``template`` or ``badge`` is its subject."""

    id: UUID
    organization_id: UUID
    event_type: str
    occurred_at: datetime | None
    template: TemplatePayload | None
    badge: BadgePayload | None


def organization(payload: Any) -> OrganizationPayload:
    return OrganizationPayload(id=_id(payload), name=_text(payload, "name"))


def template(payload: Any) -> TemplatePayload:
    image = payload.get("image") if isinstance(payload, Mapping) else None
    image_url = image.get("url") if isinstance(image, Mapping) else None
    return TemplatePayload(
        id=_id(payload),
        name=_text(payload, "name"),
        description=_text(payload, "description"),
        image_url=web_url(_text(payload, "image_url") or (image_url if isinstance(image_url, str) else "")),
        state=_one_of(TemplateState, payload.get("state")),
    )


def badge(payload: Any) -> BadgePayload:
    embedded = payload.get("badge_template") if isinstance(payload, Mapping) else None
    return BadgePayload(
        id=_id(payload),
        state=_one_of(BadgeState, payload.get("state")),
        template_id=_id(embedded) if isinstance(embedded, Mapping) else None,
        accept_badge_url=web_url(_text(payload, "accept_badge_url")),
        earner_id=_text(payload, "issuer_earner_id"),
        recipient_email=_text(payload, "recipient_email"),
        issued_at=_time(payload, "issued_at"),
        expires_at=_time(payload, "expires_at"),
        replaces=_text(payload, "replaces_badge_id"),
        replaced_by=_text(payload, "replacement_badge_id"),
    )


def event(payload: Any) -> EventPayload:
    return EventPayload(
        id=_id(payload),
        organization_id=_id(payload, "organization_id"),
        event_type=_text(payload, "event_type"),
        occurred_at=_time(payload, "occurred_at"),
        template=template(payload["badge_template"]) if isinstance(payload.get("badge_template"), Mapping) else None,
        badge=badge(payload["badge"]) if isinstance(payload.get("badge"), Mapping) else None,
    )


def _id(payload: Any, name: str = "id") -> UUID:
    value = payload.get(name) if isinstance(payload, Mapping) else None
    if not isinstance(value, str):
        raise UnexpectedReply(f"{name} is missing")
    try:
        return UUID(value)
    except ValueError as error:
        raise UnexpectedReply(f"{name} is not a UUID") from error


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(payload, name)


def _time(payload: Mapping[str, Any], name: str) -> datetime | None:
    try:
        moment = parse_datetime(_text(payload, name))
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else None


def _one_of(states: type[StateT], value: Any) -> StateT:
    try:
        return states(value)
    except ValueError:
        return states("unknown")
