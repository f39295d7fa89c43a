"""The data that the worker and a backend exchange. Frozen, and no ORM: a backend's requests run in threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from badges_plugin.times import site_day

ContextT = TypeVar("ContextT")


MAX_URL_LENGTH = 500
"""Characters of a URL that the tables hold."""


def web_url(text: str) -> str:
    """Return a provider's text if it is a URL that a page may link to and a table can hold; otherwise an empty one."""
    is_usable = text.lower().startswith(("https://", "http://")) and len(text) <= MAX_URL_LENGTH
    return text if is_usable else ""


def spellings(email: str) -> tuple[str, ...]:
    """Return an e-mail address as it is and, if different, in lower case: providers store either and search exactly."""
    return tuple(dict.fromkeys(filter(None, (email, email.lower()))))


class Action(TextChoices):
    """A request to a provider about a badge."""

    ISSUE = "issue", _("issue")
    REVOKE = "revoke", _("revoke")
    CORRECT = "correct", _("correct the name")


@dataclass(frozen=True, slots=True)
class Recipient:
    """The learner, as a provider needs to know them.

    The names are empty when none is known that could stand on a badge. For a retired learner, so is the e-mail address.
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
    """A flag with a reason: the request must no longer be sent. The main thread may set it at any time."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class ProviderRequest(Generic[ContextT]):
    """A complete request to a provider: nothing else is read while it is carried out.

    ``withdrawn`` has a reason when the learner was retired: then the badge is looked up if in doubt, nothing is sent.
    ``wanted`` is false for the issue of an award that was revoked meanwhile: looked up if in doubt, never sent.
    ``foreign_ids`` are the provider's ids of the learner's other awards of this template; they are never adopted.
    ``send_before`` is on the clock of ``time.monotonic()``: afterwards, another worker may have claimed this delivery.
    ``context`` is the result of the backend's own ``load``.

    ``awarded_at`` is the date of the badge: the time of the event that completed it, which may be years ago, and is
    never in the future. ``awarded_on`` is the same as a day in the site's time zone, for providers that want a day.
    ``expires_at`` and ``expires_on`` are the end of the badge in the same way, None if it does not expire.
    ``renews``: an earlier badge of the learner has expired, and the provider may still have it.
    ``restores``: the provider's id of the badge that was revoked there by mistake, and that this award gives back; only
    for a backend that ``restores_badges``. It may be gone.
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
    restores: str = ""
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
    """The provider has done it. ``adopted``: it was found there, from an earlier attempt or from someone else.

    ``expires_at``: when the provider lets the badge expire, as its reply says; None if it does not, or does not say.
    """

    external_id: str
    state: str = ""
    adopted: bool = False
    expires_at: datetime | None = None
    details: Mapping[str, str] = field(default_factory=dict)


class Place(StrEnum):
    """Where a badge is, to its learner: not at the provider yet, waiting there to be accepted, or there to be shown."""

    ON_ITS_WAY = "on its way"
    WAITING = "waiting"
    THERE = "there"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class AtProvider:
    """How a badge stands at a provider. ``url`` is for the learner: where to accept the badge, or to see it."""

    place: Place
    url: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Nothing was sent, and nothing has to be."""

    reason: str
