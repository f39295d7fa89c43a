"""Credly's records as far as we need them, read from its JSON.

Unknown attributes are ignored: Credly may add some any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from badges_plugin.distribution.accounts.records import UnexpectedReply, one_line, text
from badges_plugin.distribution.data import web_url

StateT = TypeVar("StateT", bound=StrEnum)


class TemplateState(StrEnum):
    """Words of https://www.credly.com/docs/badge_templates ."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"
    #: Ours: Credly says so by an event, or no longer lists the template.
    DELETED = "deleted"
    UNKNOWN = "unknown"


class BadgeState(StrEnum):
    """Words of https://www.credly.com/docs/issued_badges ; "created" is ours: Credly has not answered yet."""

    CREATED = "created"
    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REVOKED = "revoked"
    DELETED = "deleted"
    UNKNOWN = "unknown"


# What Credly may do with a badge of ours while we do not look: it is still the badge that we issued.
ALIVE = frozenset({BadgeState.PENDING, BadgeState.ACCEPTED, BadgeState.REJECTED, BadgeState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class OrganizationRecord:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class TemplateRecord:
    id: UUID
    name: str
    description: str
    image_url: str
    state: TemplateState

    @property
    def title(self) -> str:
        """The name as it can be shown; empty when there is nothing to be seen."""
        return one_line(self.name)


@dataclass(frozen=True, slots=True)
class BadgeRecord:
    """An issued badge.

    .. pii: Carries the address a badge was issued to, in memory; never logged.
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

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened at Credly. ``template`` and ``badge`` are what it happened to."""

    id: UUID
    organization_id: UUID
    event_type: str
    occurred_at: datetime | None
    template: TemplateRecord | None
    badge: BadgeRecord | None


def organization(record: Any) -> OrganizationRecord:
    return OrganizationRecord(id=_id(record), name=_text(record, "name"))


def template(record: Any) -> TemplateRecord:
    image = record.get("image") if isinstance(record, Mapping) else None
    image_url = image.get("url") if isinstance(image, Mapping) else None
    return TemplateRecord(
        id=_id(record),
        name=_text(record, "name"),
        description=_text(record, "description"),
        image_url=web_url(_text(record, "image_url") or (image_url if isinstance(image_url, str) else "")),
        state=_one_of(TemplateState, record.get("state")),
    )


def badge(record: Any) -> BadgeRecord:
    embedded = record.get("badge_template") if isinstance(record, Mapping) else None
    return BadgeRecord(
        id=_id(record),
        state=_one_of(BadgeState, record.get("state")),
        template_id=_id(embedded) if isinstance(embedded, Mapping) else None,
        accept_badge_url=web_url(_text(record, "accept_badge_url")),
        earner_id=_text(record, "issuer_earner_id"),
        recipient_email=_text(record, "recipient_email"),
        issued_at=_time(record, "issued_at"),
        expires_at=_time(record, "expires_at"),
    )


def event(record: Any) -> EventRecord:
    return EventRecord(
        id=_id(record),
        organization_id=_id(record, "organization_id"),
        event_type=_text(record, "event_type"),
        occurred_at=_time(record, "occurred_at"),
        template=template(record["badge_template"]) if isinstance(record.get("badge_template"), Mapping) else None,
        badge=badge(record["badge"]) if isinstance(record.get("badge"), Mapping) else None,
    )


def _id(record: Any, name: str = "id") -> UUID:
    value = record.get(name) if isinstance(record, Mapping) else None
    if not isinstance(value, str):
        raise UnexpectedReply(f"{name} is missing")
    try:
        return UUID(value)
    except ValueError as error:
        raise UnexpectedReply(f"{name} is not a UUID") from error


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(record, name)


def _time(record: Mapping[str, Any], name: str) -> datetime | None:
    try:
        moment = parse_datetime(_text(record, name))
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else None


def _one_of(states: type[StateT], word: Any) -> StateT:
    try:
        return states(word)
    except ValueError:
        return states("unknown")
