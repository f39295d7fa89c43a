"""Accredible's records as far as we need them, read from its JSON.

Unknown attributes are ignored, and what is not documented for every reply may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from django.utils.dateparse import parse_date

from badges_plugin.distribution.accounts.records import UnexpectedReply, one_line, text
from badges_plugin.distribution.data import web_url


class CredentialState(StrEnum):
    """Ours: Accredible has no word for it, but a flag and a date."""

    CREATED = "created"
    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"
    EXPIRED = "expired"
    DELETED = "deleted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A group: what Accredible calls a badge, and all credentials issued of it."""

    id: int
    name: str
    course_name: str
    description: str

    @property
    def title(self) -> str:
        """What learners see: the course name. ``name`` is the issuer's own word for the group."""
        return one_line(self.course_name) or one_line(self.name)


@dataclass(frozen=True, slots=True)
class CredentialRecord:
    """An issued credential. ``reference`` is the id that its issuer gave it.

    .. pii: Carries the address a credential was issued to, in memory; never logged.
    .. pii_types: email_address
    .. pii_retirement: retained
    """

    id: str
    group_id: int | None
    reference: str
    url: str
    is_published: bool | None
    expired_on: date | None
    recipient_email: str = field(repr=False)

    def state(self, today: date) -> CredentialState:
        """How it stands on that day. One that expires today has expired: that is how it is revoked here."""
        if self.expired_on is not None and self.expired_on <= today:
            return CredentialState.EXPIRED
        if self.is_published is None:
            return CredentialState.UNKNOWN
        return CredentialState.PUBLISHED if self.is_published else CredentialState.UNPUBLISHED


def group(record: Any) -> GroupRecord:
    return GroupRecord(
        id=_number(record, "id"),
        name=text(record, "name"),
        course_name=text(record, "course_name"),
        description=text(record, "course_description"),
    )


def credential(record: Any) -> CredentialRecord:
    identity = _number(record, "id")
    recipient = record.get("recipient")
    embedded = record.get("group")
    approved = record.get("approve")
    return CredentialRecord(
        id=str(identity),
        group_id=_number_or_none(
            record.get("group_id") or (embedded if isinstance(embedded, Mapping) else {}).get("id")
        ),
        reference=text(record, "license_id"),
        url=web_url(text(record, "url")),
        is_published=approved if isinstance(approved, bool) else None,
        expired_on=_day(record, "expired_on"),
        recipient_email=text(recipient, "email") or text(record, "recipient_email"),
    )


def _number(record: Any, name: str) -> int:
    value = _number_or_none(record.get(name)) if isinstance(record, Mapping) else None
    if value is None:
        raise UnexpectedReply(f"{name} is missing or not a number")
    return value


def _number_or_none(value: Any) -> int | None:
    """An id that the tables can hold."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 < value < 2**63 else None


def _day(record: Mapping[str, Any], name: str) -> date | None:
    """A date, or the date of an instant."""
    try:
        return parse_date(text(record, name)[:10])
    except ValueError:
        return None
