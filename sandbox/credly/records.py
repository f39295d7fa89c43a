"""What the simulated service stores. Every field is JSON, so that a record is also a line of the state file.

Times are strings in UTC with milliseconds and a trailing ``Z``: they compare as they sort.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

PENDING = "pending"
ACCEPTED = "accepted"
REJECTED = "rejected"
REVOKED = "revoked"

DRAFT = "draft"
ACTIVE = "active"
ARCHIVED = "archived"


def timestamp(moment: dt.datetime) -> str:
    """Return ``moment`` (aware) in the form that all records use."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Organization:
    id: str
    name: str
    keys: list[str]
    keys_rejected: bool = False
    webhook_url: str | None = None
    #: Event types that are sent; None means all.
    allowed_webhooks: list[str] | None = None
    website_url: str = ""
    contact_email: str = ""
    photo_url: str = ""
    vanity_slug: str = ""
    verified: bool = True

    def accepts(self, key: str) -> bool:
        return key in self.keys and not self.keys_rejected


@dataclass
class Template:
    id: str
    organization_id: str
    name: str
    description: str = ""
    state: str = ACTIVE
    public: bool = True
    allow_duplicate_badges: bool = False
    image_url: str = ""
    vanity_slug: str = ""
    skills: list[str] = field(default_factory=list)
    reporting_tags: list[str] = field(default_factory=list)
    created_at: str = ""
    updated_at: str = ""
    state_updated_at: str = ""
    deleted: bool = False


@dataclass
class Badge:
    id: str
    organization_id: str
    badge_template_id: str
    recipient_email: str
    issued_to_first_name: str
    issued_to_last_name: str
    issued_at: str
    issued_to_middle_name: str | None = None
    issuer_earner_id: str | None = None
    locale: str = "en"
    public: bool = False
    suppress_badge_notification_email: bool = False
    expires_at: str | None = None
    country_name: str | None = None
    state_or_province: str | None = None
    evidence: list[Json] = field(default_factory=list)
    state: str = PENDING
    created_at: str = ""
    state_updated_at: str = ""
    accept_token: str = ""
    revocation_reason: str | None = None
    replacement_badge_id: str | None = None
    replaces_badge_id: str | None = None
    deleted: bool = False

    @property
    def is_live(self) -> bool:
        """Whether the earner holds it or may still accept it. A rejected badge counts: Credly shows it as issued."""
        return not self.deleted and self.state != REVOKED and self.replacement_badge_id is None


@dataclass
class Event:
    id: str
    organization_id: str
    event_type: str
    occurred_at: str
    #: "badge" or "badge_template": the name under which the subject is sent.
    subject_type: str
    #: The subject as it was when the event occurred.
    subject: Json
