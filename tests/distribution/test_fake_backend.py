"""The fake keeps the contract: what the delivery tests prove with it holds for real backends."""

from __future__ import annotations

from collections import Counter

import pytest

from badges_plugin.distribution.data import Action
from badges_plugin.distribution.exceptions import RejectedKey, TransientFailure
from badges_plugin.models import BadgeTemplate
from tests.distribution.backend_cases import BackendCases
from tests.distribution.fakes import FakeBackend, Provider


class FakeWorld:
    def __init__(self, provider: Provider, template: BadgeTemplate) -> None:
        self.provider = provider
        self.template = template

    def live(self) -> list[str]:
        return self.provider.live()

    def gone(self) -> list[str]:
        return [badge for badge, state in self.provider.badges.items() if state == "revoked"]

    def calls(self, action: Action) -> int:
        return Counter(self.provider.asked)[action]

    def lose_answers(self, action: Action) -> None:
        self.provider.after = [TransientFailure("broken", ambiguous=True)]

    def lose_requests(self, action: Action) -> None:
        self.provider.before = [TransientFailure("broken", ambiguous=True)]

    def break_down(self) -> None:
        self.provider.before = [TransientFailure("down")] * 100

    def throttle(self, seconds: int) -> None:
        self.provider.before = [TransientFailure("slow", retry_after=seconds, throttled=True)]

    def recover(self) -> None:
        self.provider.before = []

    def reject_key(self) -> None:
        self.provider.before = [RejectedKey("HTTP 401")] * 100

    def change_key(self) -> None:
        self.provider.before = []
        self.provider.key = "another"

    def issue_by_hand(self, email: str) -> str:
        badge = self.provider.issue(email)
        self.provider.asked.clear()
        return badge


class TestFakeBackend(BackendCases):
    @pytest.fixture(params=[1, 3], ids=["one by one", "in bulk"])
    def world(
        self, provider: Provider, backend: FakeBackend, template: BadgeTemplate, request: pytest.FixtureRequest
    ) -> FakeWorld:
        backend.largest_bulk = request.param
        return FakeWorld(provider, template)
