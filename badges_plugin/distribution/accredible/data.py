"""Payloads of Accredible's API, as far as they are needed, read from its JSON.

Unknown attributes are ignored; attributes that are not documented for every reply may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import TextChoices
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.accounts.payloads import UnexpectedReply, one_line, text
from badges_plugin.distribution.api import web_url


class CredentialState(TextChoices):
    """States of our own: Accredible has no states, but a flag and a date."""

    CREATED = "created", _("not at Accredible yet")
    PUBLISHED = "published", _("published")
    UNPUBLISHED = "unpublished", _("not published")
    EXPIRED = "expired", _("expired")
    DELETED = "deleted", _("deleted")
    UNKNOWN = "unknown", _("unknown")


@dataclass(frozen=True, slots=True)
class GroupPayload:
    """A group: a badge in Accredible's terms, with all its issued credentials."""

    id: int
    name: str
    course_name: str
    description: str

    @property
    def title(self) -> str:
        """The title that learners see: the course name. ``name`` is the issuer's own name of the group."""
        return one_line(self.course_name) or one_line(self.name)


@dataclass(frozen=True, slots=True)
class CredentialPayload:
    """An issued credential. ``reference`` is the id that its issuer gave it.

    .. pii: Carries the e-mail address a credential was issued to, in memory; never logged.
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
        """Return the state on that day. A credential that expires today has expired: that is how we revoke."""
        if self.expired_on is not None and self.expired_on <= today:
            return CredentialState.EXPIRED
        if self.is_published is None:
            return CredentialState.UNKNOWN
        return CredentialState.PUBLISHED if self.is_published else CredentialState.UNPUBLISHED


def group(payload: Any) -> GroupPayload:
    return GroupPayload(
        id=_number(payload, "id"),
        name=text(payload, "name"),
        course_name=text(payload, "course_name"),
        description=text(payload, "course_description"),
    )


def credential(payload: Any) -> CredentialPayload:
    identity = _number(payload, "id")
    recipient = payload.get("recipient")
    embedded = payload.get("group")
    approved = payload.get("approve")
    return CredentialPayload(
        id=str(identity),
        group_id=_number_or_none(
            payload.get("group_id") or (embedded if isinstance(embedded, Mapping) else {}).get("id")
        ),
        reference=text(payload, "license_id"),
        url=web_url(text(payload, "url")),
        is_published=approved if isinstance(approved, bool) else None,
        expired_on=_day(payload, "expired_on"),
        recipient_email=text(recipient, "email") or text(payload, "recipient_email"),
    )


def _number(payload: Any, name: str) -> int:
    value = _number_or_none(payload.get(name)) if isinstance(payload, Mapping) else None
    if value is None:
        raise UnexpectedReply(f"{name} is missing or not a number")
    return value


def _number_or_none(value: Any) -> int | None:
    """Return an id that the tables can hold; otherwise None."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 < value < 2**63 else None


def _day(payload: Mapping[str, Any], name: str) -> date | None:
    """Return a date, or the date of an instant; None where there is none."""
    try:
        return parse_date(text(payload, name)[:10])
    except ValueError:
        return None
