"""What passes between the delivery machinery and a backend. Frozen, and no ORM: a backend's requests run in threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from badges_plugin.times import site_day

ContextT = TypeVar("ContextT")


MAX_URL_LENGTH = 500
"""Characters of an address of the web that the tables hold."""


def web_url(text: str) -> str:
    """The text, where a link may lead there and a table can hold it; empty otherwise. Providers decide on the text."""
    is_usable = text.lower().startswith(("https://", "http://")) and len(text) <= MAX_URL_LENGTH
    return text if is_usable else ""


def spellings(address: str) -> tuple[str, ...]:
    """An e-mail address as it is and, where that differs, in lower case: providers store either, and search exactly."""
    return tuple(dict.fromkeys(filter(None, (address, address.lower()))))


class Action(StrEnum):
    """What a provider is asked to do with a badge."""

    ISSUE = "issue"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Recipient:
    """The learner as a provider wants to know them.

    The names are empty when none is known that could stand on a badge. Of a learner who was retired, so is the address.
    ``earner_id`` is the UUID of the learner's credential: the same for all awards of this badge, different at every
    site (user ids are not, and two sites may share an account at a provider), and it says nothing about the learner.

    .. pii: Name and e-mail address of a learner, in memory; never logged.
    .. pii_types: name, email_address
    .. pii_retirement: retained
    """

    email: str = field(repr=False)
    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    earner_id: str


@dataclass(slots=True, eq=False)
class Withdrawal:
    """Says, with the reason, that an order must not be sent any more. The main thread may set it at any time."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class ProviderRequest(Generic[ContextT]):
    """One thing to be done at a provider, complete: nothing else is read while it is carried out.

    ``withdrawn`` has a reason when the learner was retired: then it is looked up if in doubt, and nothing is sent.
    ``wanted`` is false for the issue of an award that was revoked meanwhile: it is looked up if in doubt, never sent.
    ``foreign_ids`` are the provider's ids of the learner's other awards of this template; they are never adopted.
    ``send_before`` is on the clock of ``time.monotonic()``: after it, another worker may have taken this delivery over.
    ``context`` is what the backend's own ``load`` returned.

    ``awarded_at`` is the date of the badge: the time of the event that completed it, which may be years ago, and never
    lies ahead. ``awarded_on`` is the same as a day, where the site is; providers that want a day mean that one.
    ``expires_at`` and ``expires_on`` are the end of the badge in the same way, None if it does not expire.
    ``renews``: the learner's badge before this one has expired, and the provider may still have it.
    ``reason`` of a revocation is a sentence in the backend's ``language``.
    """

    action: Action
    award_id: int
    number: int
    template_uuid: UUID
    awarded_at: datetime
    reason: str
    recipient: Recipient
    account: str
    context: ContextT
    external_id: str = ""
    foreign_ids: frozenset[str] = frozenset()
    in_doubt: bool = False
    wanted: bool = True
    expires_at: datetime | None = None
    renews: bool = False
    send_before: float = float("inf")
    withdrawn: Withdrawal = field(default_factory=Withdrawal, compare=False, repr=False)

    @property
    def awarded_on(self) -> date:
        return site_day(self.awarded_at)

    @property
    def expires_on(self) -> date | None:
        return None if self.expires_at is None else site_day(self.expires_at)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider has done it. ``adopted``: it was found there, done by an earlier attempt or by someone else.

    ``expires_at``: when the provider lets the badge expire, as its reply says; None if it does not, or does not say.
    """

    external_id: str
    state: str = ""
    adopted: bool = False
    expires_at: datetime | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Nothing was sent, and nothing has to be."""

    reason: str
