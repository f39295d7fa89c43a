"""A provider in memory. It keeps what it was asked and fails as it is told."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from badges_plugin.distribution.backends import Backend
from badges_plugin.distribution.data import Action, ProviderRequest, Receipt
from badges_plugin.distribution.exceptions import AlreadyIssued, DeliveryFailure, PermanentFailure
from badges_plugin.models import BadgeAward, BadgeTemplate


@dataclass
class Provider:
    """What exists at the provider (badge id -> state), what it was asked, and what goes wrong next.

    ``before``: exceptions of coming requests that are then not carried out. ``after``: of requests that are carried out
    all the same. None in either list is a request that goes well.
    """

    badges: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    before: list[Exception | None] = field(default_factory=list)
    after: list[Exception | None] = field(default_factory=list)
    lookup: list[Exception | None] = field(default_factory=list)
    key: str = "good"
    #: Owners whose badges are refused; with the status of ``all_or_nothing``, together with all of the same request.
    refused: set[str] = field(default_factory=set)
    all_or_nothing: int = 0
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def issues(self) -> int:
        return self.asked.count("issue")

    def live(self) -> list[str]:
        return [badge for badge, state in list(self.badges.items()) if state == "pending"]

    def issue(self, owner: str) -> str:
        with self._lock:
            self.asked.append("issue")
            _fail(self.before)
            answer = self._issue_one(owner)
            if isinstance(answer, DeliveryFailure):
                raise answer
            _fail(self.after)
            return answer

    def issue_many(self, owners: Sequence[str]) -> list[str | DeliveryFailure]:
        """Like ``issue``, for many. Those in ``refused`` are refused: each by itself, or all because of one."""
        with self._lock:
            self.asked.append("issue_many")
            _fail(self.before)
            if self.all_or_nothing and self.refused.intersection(owners):
                raise PermanentFailure("one of them is refused", status=self.all_or_nothing)
            answers = [self._issue_one(owner) for owner in owners]
            _fail(self.after)
            return answers

    def _issue_one(self, owner: str) -> str | DeliveryFailure:
        if not owner:
            return PermanentFailure("no e-mail address")
        if owner in self.refused:
            return PermanentFailure("refused", status=422)
        if any(self.owners[badge] == owner for badge in self.live()):
            return AlreadyIssued("has it already", status=422)
        badge = f"badge-{next(self._numbers)}"
        self.badges[badge], self.owners[badge] = "pending", owner
        return badge

    def revoke(self, badge: str) -> None:
        with self._lock:
            self.asked.append("revoke")
            _fail(self.before)
            if self.badges.get(badge) != "pending":
                raise PermanentFailure(f"cannot revoke {badge}", status=422)
            self.badges[badge] = "revoked"
            _fail(self.after)

    def search(self, owner: str) -> list[str]:
        with self._lock:
            self.asked.append("find")
            _fail(self.lookup)
            return [badge for badge, of in self.owners.items() if of == owner]


class FakeBackend(Backend[Provider]):
    """A backend for templates with origin "fake"; every template is an account of its own."""

    slug = "fake"
    name = "Fake"

    def __init__(self, provider: Provider | None = None) -> None:
        self.provider = provider or Provider()
        self.recorded: list[tuple[Action, str]] = []
        self.notified: list[Action] = []
        self.forgotten: list[int] = []
        self.expires_at: datetime | None = None
        self.largest_bulk = 1

    def account(self, template: BadgeTemplate) -> str:
        return str(template.uuid)

    def account_name(self, account: str) -> str:
        return f"The account called {account}"

    def fingerprint(self, account: str) -> str:
        return self.provider.key

    def load(self, award: BadgeAward) -> Provider:
        return self.provider

    def find(self, request: ProviderRequest[Provider]) -> Receipt | None:
        mine = set(request.context.search(request.recipient.email)) - request.foreign_ids
        for badge in sorted(mine):
            state = request.context.badges[badge]
            revoked = badge == request.external_id and state == "revoked"
            wanted = state == "pending" if request.action is Action.ISSUE else revoked
            if wanted:
                return Receipt(badge, state, adopted=True)
        return None

    def issue(self, request: ProviderRequest[Provider]) -> Receipt:
        return Receipt(request.context.issue(request.recipient.email), "pending", expires_at=self.expires_at)

    def bulk_size(self) -> int:
        return self.largest_bulk

    def issue_many(self, requests: Sequence[ProviderRequest[Provider]]) -> list[Receipt | DeliveryFailure]:
        answers = requests[0].context.issue_many([request.recipient.email for request in requests])
        return [each if isinstance(each, DeliveryFailure) else Receipt(each, "pending") for each in answers]

    def revoke(self, request: ProviderRequest[Provider]) -> Receipt:
        request.context.revoke(request.external_id)
        return Receipt(request.external_id, "revoked")

    def record(self, award: BadgeAward, action: Action, receipt: Receipt) -> None:
        self.recorded.append((action, receipt.external_id))

    def forget(self, awards: Sequence[BadgeAward]) -> None:
        self.forgotten.extend(award.pk for award in awards)

    def notify(self, award: BadgeAward, action: Action) -> None:
        self.notified.append(action)


def _fail(failures: list[Exception | None]) -> None:
    failure = failures.pop(0) if failures else None
    if failure is not None:
        raise failure
