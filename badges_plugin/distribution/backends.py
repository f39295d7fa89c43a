"""The contract of a distribution backend.

The base class owns the order of steps; a provider fills in ``account``, ``load``, ``find``, ``issue`` and ``revoke``,
and may fill in the ``hooks``. ``load`` and the hooks run in the worker's main thread with the database; ``find``,
``issue``, ``issue_many`` and ``revoke`` run in threads, with nothing but their ProviderRequest, and end with a Receipt
or one of the exceptions in ``exceptions``.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Generic, final

from django.utils.translation import gettext_noop

from badges_plugin.distribution.data import (
    Action,
    Cancelled,
    ContextT,
    ProviderRequest,
    Receipt,
)
from badges_plugin.distribution.exceptions import (
    AlreadyIssued,
    DeliveryFailure,
    InTheWay,
    NoName,
    NotSent,
    PermanentFailure,
)
from badges_plugin.distribution.hooks import Hooks
from badges_plugin.distribution.reasons import with_detail
from badges_plugin.models import BadgeAward, BadgeTemplate

ENDED_BEFORE = gettext_noop("The badge ended before it was delivered.")
_NO_NAME = gettext_noop("The learner has no name that could stand on a badge. It is issued once there is one.")
_NOT_ADOPTABLE = gettext_noop("The provider refuses the badge as a duplicate, but shows no badge to adopt.")
_CLAIM_EXPIRED = gettext_noop("The claim expired before anything was sent.")

# A refusal of what a bulk request contains, so that a part of it may be accepted.
_REFUSES_CONTENT = frozenset({400, 413, 422})

ManyOutcome = Receipt | Cancelled | Exception
"""The outcome of one of several requests: what ``deliver`` returns, or the exception that it would raise."""


class Backend(Hooks, ABC, Generic[ContextT]):
    """One provider. ``slug`` is the origin of its templates and its name in the database, for good."""

    slug: ClassVar[str]
    name: ClassVar[str]
    expires_badges: ClassVar[bool] = False
    """Whether the provider lets a badge expire on the date that ``issue`` tells it, and the Receipt says so.

    A badge whose date the provider does not know is revoked there when it expires here.
    """

    loads_by_template: ClassVar[bool] = False
    """Whether what ``load`` returns depends on the award's template alone, so that one result serves many awards."""

    needs_name: ClassVar[bool] = True
    """Whether a badge is issued only to a learner who has a name. Where not, the names of a recipient may be empty."""

    needs_email: ClassVar[bool] = True
    """Whether a badge is issued only to a learner with an e-mail address. Staff are told before they give one."""

    spares_given_back: ClassVar[bool] = True
    """Whether a badge that was not revoked there yet becomes that of the award which gives it back.

    Where not, it is revoked nevertheless, and a new one is issued.
    """

    restores_badges: ClassVar[bool] = False
    """Whether ``issue`` makes a badge valid again, where ``request.restores`` names one that was revoked."""
    asks_learners: ClassVar[bool] = False
    """Whether learners have to accept badges at the provider; then ``accepted`` tells which of them they have."""

    name_correction: ClassVar[str] = ""
    """What ``correct_name`` means for a badge, in a sentence for staff; empty where the provider cannot do it."""

    def handles(self, template: BadgeTemplate) -> bool:
        """Whether the awards of this template go to this provider."""
        return template.origin == self.slug

    def may_have_issued(self, template: BadgeTemplate) -> bool:
        """Whether this provider may have got awards of this template: whatever ends is then looked for and revoked.

        For a backend that ``handles`` a template only as long as a setting says so.
        """
        return self.handles(template)

    @abstractmethod
    def account(self, template: BadgeTemplate) -> str:
        """Return the account at the provider that the template belongs to, in at most 64 characters.

        A rejected key stops that account alone.
        """

    def accounts(self, templates: Sequence[BadgeTemplate]) -> Mapping[int, str]:
        """Return the accounts of many templates by their keys.

        A backend that reads accounts from the database overrides this too, so that the number of queries does not grow
        with the number of templates. Templates of the ruleset stay the same objects until the configuration changes.
        """
        return {template.pk: self.account(template) for template in {each.pk: each for each in templates}.values()}

    @abstractmethod
    def load(self, award: BadgeAward) -> ContextT:
        """Return everything from the database that a request needs (URLs, keys), frozen. May raise a failure."""

    def load_many(self, awards: Sequence[BadgeAward]) -> Mapping[int, ContextT | DeliveryFailure]:
        """Return the same for many awards by their keys, or the failure that ``load`` would raise.

        Called with the awards to be issued that a worker has claimed together. A backend that reads much for each award
        overrides this too, so that the number of queries does not grow with the number of awards. ``load`` is called
        for each award that is left out; by default all are.
        """
        return {}

    @abstractmethod
    def find(self, request: ProviderRequest[ContextT]) -> Receipt | None:
        """Look up the badge of this request at the provider. Never one of ``request.foreign_ids``.

        For an issue: a badge that is valid. For a revocation: the badge if it is revoked already, or gone. For a
        retired learner, ``request.recipient`` has no e-mail address: the badge is known by its earner id. For the
        correction of a name: the badge that has the new name; None where sending it twice does no harm.
        """

    @abstractmethod
    def issue(self, request: ProviderRequest[ContextT]) -> Receipt:
        """Ask for the badge, once. Raises AlreadyIssued when the provider says that the learner has it."""

    def bulk_size(self) -> int:
        """Return how many badges of one account ``issue_many`` takes at most; 1 where badges are issued one by one."""
        return 1

    def issue_many(self, requests: Sequence[ProviderRequest[ContextT]]) -> Sequence[Receipt | DeliveryFailure]:
        """Ask for several badges of one account in one request; return the provider's answer to each, in their order.

        An answer may be AlreadyIssued. A failure of the request as a whole is raised. One that is permanent says that
        no badge was issued; the badges are then asked for in smaller numbers. Where it is not known whether a badge was
        issued, its failure must be ambiguous. Called only if ``bulk_size`` is above 1, and never for a badge in doubt.
        """
        raise NotImplementedError

    @abstractmethod
    def revoke(self, request: ProviderRequest[ContextT]) -> Receipt:
        """Ask that the badge ``request.external_id`` be revoked, once."""

    def correct_name(self, request: ProviderRequest[ContextT]) -> Receipt:
        """Ask that the badge ``request.external_id`` bear the recipient's name, once.

        The Receipt names the badge that does, perhaps another one. Only for a backend with ``name_correction``.
        """
        raise NotImplementedError

    def find_others(self, request: ProviderRequest[ContextT]) -> list[str]:
        """Return the earner ids of the badges that the provider has at the e-mail address of this request.

        Called when the provider refuses a badge as a duplicate and ``find`` finds none of this learner. The earner id
        of a badge that this plugin did not issue is empty.
        """
        return []

    @final
    def deliver(self, request: ProviderRequest[ContextT]) -> Receipt | Cancelled:
        """Carry out a request: look up what is in doubt, send, and adopt what the provider has already."""
        if request.in_doubt:
            found = self._look_up(request)
            if found is not None:
                return found
        if request.withdrawn.reason:
            return Cancelled(request.withdrawn.reason)
        if request.action is Action.REVOKE:
            _check_claim(request)
            return self.revoke(request)
        if not request.wanted:
            return Cancelled(ENDED_BEFORE)
        if self.needs_name and not request.recipient.first_name:
            raise NoName(_NO_NAME)
        _check_claim(request)
        return self.correct_name(request) if request.action is Action.CORRECT else self._issue(request)

    def _issue(self, request: ProviderRequest[ContextT]) -> Receipt:
        try:
            return self.issue(request)
        except AlreadyIssued as refusal:
            return self._adopt(request, refusal)

    @final
    def deliver_many(self, requests: Sequence[ProviderRequest[ContextT]]) -> list[ManyOutcome]:
        """Issue several badges of one account, none of them in doubt; return the outcomes in the order of the requests.

        What is wrong with one badge harms no other: a request that is refused as a whole is divided.
        """
        if len(requests) == 1:
            return [_outcome_of(lambda: self.deliver(requests[0]))]
        try:
            for request in requests:
                _check_claim(request)
            answers = self.issue_many(requests)
            return [self._conclude(*pair) for pair in zip(requests, answers, strict=True)]
        except PermanentFailure as refusal:
            if refusal.ambiguous:
                return [refusal] * len(requests)
            size = (len(requests) + 1) // 2 if refusal.status in _REFUSES_CONTENT else 1
            parts = [requests[start : start + size] for start in range(0, len(requests), size)]
            return [outcome for part in parts for outcome in self.deliver_many(part)]
        except Exception as failure:  # noqa: BLE001 - it is the outcome of each
            return [failure] * len(requests)

    def _conclude(self, request: ProviderRequest[ContextT], answer: Receipt | DeliveryFailure) -> ManyOutcome:
        if isinstance(answer, AlreadyIssued):
            return _outcome_of(lambda: self._adopt(request, answer))
        return answer

    def _adopt(self, request: ProviderRequest[ContextT], refusal: AlreadyIssued) -> Receipt:
        found = self._look_up(request)
        if found is None:
            raise self._no_badge_to_adopt(request, refusal) from refusal
        return found

    def _no_badge_to_adopt(self, request: ProviderRequest[ContextT], refusal: AlreadyIssued) -> PermanentFailure:
        try:
            others = [each for each in self.find_others(request) if each != request.recipient.earner_id]
        except DeliveryFailure:
            others = []
        if others:
            # A badge that we issued explains more than one that somebody else did.
            return InTheWay(refusal.reason, earner_id=max(others), status=refusal.status)
        return PermanentFailure(with_detail(_NOT_ADOPTABLE, refusal.reason), status=refusal.status)

    def _look_up(self, request: ProviderRequest[ContextT]) -> Receipt | None:
        try:
            return self.find(request)
        except DeliveryFailure as failure:
            raise failure.still_in_doubt() from None


def _outcome_of(deliver: Callable[[], Receipt | Cancelled]) -> ManyOutcome:
    try:
        return deliver()
    except Exception as failure:  # noqa: BLE001 - the caller distinguishes failures and bugs
        return failure


def _check_claim(request: ProviderRequest[ContextT]) -> None:
    """Raise NotSent when the claim is about to expire: another worker may be about to send."""
    if time.monotonic() >= request.send_before:
        raise NotSent(_CLAIM_EXPIRED, ambiguous=request.in_doubt)
