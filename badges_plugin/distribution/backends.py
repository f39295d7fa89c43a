"""The contract of a distribution backend.

The base class owns the order of steps; a provider fills in ``account``, ``load``, ``find``, ``issue`` and ``revoke``,
and may fill in the hooks. ``load`` and the hooks run in the worker's main thread with the database; ``find``,
``issue`` and ``revoke`` run in threads, with nothing but their ProviderRequest, and end with a Receipt or one of the
exceptions in ``exceptions``.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, final

from django.utils.translation import gettext as _

from badges_plugin.distribution.data import Action, Cancelled, ContextT, ProviderRequest, Receipt
from badges_plugin.distribution.exceptions import (
    AlreadyIssued,
    DeliveryFailure,
    InTheWay,
    NoName,
    NotSent,
    PermanentFailure,
)
from badges_plugin.models import BadgeAward, BadgeTemplate


class Backend(ABC, Generic[ContextT]):
    """One provider. ``slug`` is the origin of its templates and names it in the database for ever."""

    slug: ClassVar[str]
    name: ClassVar[str]
    expires_badges: ClassVar[bool] = False
    """Whether the provider lets a badge expire on the date that ``issue`` tells it, and the Receipt says so.

    A badge whose date the provider does not know is revoked there when it expires here.
    """

    def handles(self, template: BadgeTemplate) -> bool:
        """Whether the awards of this template go to this provider."""
        return template.origin == self.slug

    @abstractmethod
    def account(self, template: BadgeTemplate) -> str:
        """Which account at the provider the template belongs to; at most 64 characters.

        A rejected key stops that one alone.
        """

    @abstractmethod
    def load(self, award: BadgeAward) -> ContextT:
        """Everything from the database that a request needs (addresses, keys), frozen. May raise a failure."""

    @abstractmethod
    def find(self, order: ProviderRequest[ContextT]) -> Receipt | None:
        """Look the badge of this order up at the provider. Never one of ``order.foreign_ids``.

        For an issue: a badge that is alive. For a revocation: the badge if it is revoked already, or gone. Of a learner
        who was retired, ``order.recipient`` has no address: the badge is known by its earner id.
        """

    @abstractmethod
    def issue(self, order: ProviderRequest[ContextT]) -> Receipt:
        """Ask for the badge, once. Raises AlreadyIssued when the provider says that the learner has it."""

    @abstractmethod
    def revoke(self, order: ProviderRequest[ContextT]) -> Receipt:
        """Ask that the badge ``order.external_id`` be revoked, once."""

    def find_others(self, order: ProviderRequest[ContextT]) -> list[str]:
        """Return whose badges the provider has at the address of this order, by their earner ids.

        Asked when it refuses a badge as a duplicate of one that is not this learner's. An earner id is empty where the
        badge is not of this plugin.
        """
        return []

    def language(self) -> str:
        """Return the language of texts that the provider shows to people; empty means that of the site."""
        return ""

    def account_name(self, account: str) -> str:
        """What staff call the account."""
        return account

    def fingerprint(self, account: str) -> str:
        """Something that changes when the account's key does, and does not tell the key."""
        return ""

    def prepare_issue(self, award: BadgeAward) -> None:
        """Write rows of one's own together with the award, in its transaction. No requests here."""

    def prepare_revoke(self, award: BadgeAward) -> None:
        """The same for a revocation."""

    def record(self, award: BadgeAward, action: Action, receipt: Receipt) -> None:
        """Note in rows of one's own what the provider did, in the transaction that settles the delivery."""

    def forget(self, awards: Sequence[BadgeAward]) -> None:
        """Erase what rows of one's own say of a learner who was retired. The ids at the provider stay."""

    def announce(self, award: BadgeAward, action: Action) -> None:
        """Tell the learner, after that transaction. Whatever is raised here is logged and changes nothing."""

    @final
    def deliver(self, order: ProviderRequest[ContextT]) -> Receipt | Cancelled:
        """Carry an order out: look up what is in doubt, send, and adopt what the provider says is there already."""
        if order.in_doubt:
            found = self._look_up(order)
            if found is not None:
                return found
        if order.withdrawn.reason:
            return Cancelled(order.withdrawn.reason)
        if order.action is Action.REVOKE:
            _must_be_in_time(order)
            return self.revoke(order)
        if not order.wanted:
            return Cancelled(_("The badge ended before it was delivered."))
        if not order.recipient.first_name:
            raise NoName(_("The learner has no name that could stand on a badge. It is issued once there is one."))
        _must_be_in_time(order)
        return self._issue(order)

    def _issue(self, order: ProviderRequest[ContextT]) -> Receipt:
        try:
            return self.issue(order)
        except AlreadyIssued as refusal:
            found = self._look_up(order)
            if found is None:
                raise self._no_badge_to_adopt(order, refusal) from refusal
            return found

    def _no_badge_to_adopt(self, order: ProviderRequest[ContextT], refusal: AlreadyIssued) -> PermanentFailure:
        try:
            others = [each for each in self.find_others(order) if each != order.recipient.earner_id]
        except DeliveryFailure:
            others = []
        if others:
            # One that we issued explains more than one that somebody else did.
            return InTheWay(refusal.reason, earner_id=max(others), status=refusal.status)
        text = _("The provider refuses the badge as a duplicate, but shows no badge to adopt: %s")
        return PermanentFailure(text % refusal.reason, status=refusal.status)

    def _look_up(self, order: ProviderRequest[ContextT]) -> Receipt | None:
        try:
            return self.find(order)
        except DeliveryFailure as failure:
            raise failure.still_in_doubt() from None


def _must_be_in_time(order: ProviderRequest[ContextT]) -> None:
    """A claim that is about to expire must not send: another worker may be about to do it."""
    if time.monotonic() >= order.send_before:
        raise NotSent("The claim ran out before anything was sent.", ambiguous=order.in_doubt)
