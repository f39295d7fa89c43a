"""The inherited suites for the example, to be run where it is installed: see tests/distribution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sites.models import Site
from django.urls import reverse

from badges_plugin import api
from badges_plugin.distribution.data import Action
from medals.models import MedalEvent, MedalTemplate
from tests.distribution.backend_cases import BackendCases
from tests.distribution.webhook_cases import WebhookCases
from tests.distribution.worlds import settings_of_deliveries
from tests.example_backend.provider import MedalsProvider
from tests.factories import penalizes_failing, requires_course


@pytest.fixture
def medals(settings: Any) -> Iterator[MedalsProvider]:
    with MedalsProvider() as provider:
        settings.BADGES_CONFIG = {"medals": provider.settings, "distribution": settings_of_deliveries()}
        yield provider


class MedalsWorld:
    def __init__(self, provider: MedalsProvider, settings: Any) -> None:
        self.provider = provider
        self.settings = settings
        site = Site.objects.get_or_create(domain="example.org", name="example")[0]
        self.template = MedalTemplate.objects.create(name="Hero", medal_name="hero", site=site)
        penalizes_failing(self.template, requires_course(self.template))
        api.activate_template(self.template)

    def live(self) -> list[str]:
        return self.provider.ids("valid")

    def gone(self) -> list[str]:
        return self.provider.ids("revoked")

    def calls(self, action: Action) -> int:
        return Counter(self.provider.asked)[action.value]

    def lose_answers(self, action: Action) -> None:
        self.provider.fail(applied=True, manner="drop", operation=action.value)

    def lose_requests(self, action: Action) -> None:
        self.provider.fail(applied=False, manner="drop", operation=action.value)

    def break_down(self) -> None:
        self.provider.fail(status=503, times=None)

    def throttle(self, seconds: int) -> None:
        self.provider.fail(status=429, retry_after=str(seconds))

    def recover(self) -> None:
        self.provider.faults.clear()

    def reject_key(self) -> None:
        self.provider.key = "nobody knows"

    def change_key(self) -> None:
        self.provider.key = "another-key"
        self.settings.BADGES_CONFIG["medals"] = self.provider.settings

    def issue_by_hand(self, email: str) -> str:
        issued = self.provider.issue({"medal": "hero", "email": email})
        assert issued
        return issued["id"]


class TestMedalsBackend(BackendCases):
    @pytest.fixture
    def world(self, db: None, medals: MedalsProvider, settings: Any) -> MedalsWorld:
        return MedalsWorld(medals, settings)


class MedalsHook:
    ids = ("event",)

    def __init__(self, provider: MedalsProvider, settings: Any) -> None:
        self.provider = provider
        self.settings = settings
        self.url = reverse("medals:webhook")

    def good(self) -> dict[str, Any]:
        return {"event": self.provider.happen("m1", "revoked")}

    def outbound(self) -> int:
        return len(self.provider.asked)

    def state(self) -> object:
        return list(MedalEvent.objects.order_by("pk").values())

    def use_secret(self, secret: str) -> str:
        self.settings.BADGES_CONFIG["medals"]["WEBHOOK_SECRET"] = secret
        return reverse("medals:secret-webhook", args=[secret])

    def break_down(self) -> None:
        self.provider.fail(status=503, times=None)

    def recover(self) -> None:
        self.provider.faults.clear()


class TestMedalsWebhook(WebhookCases):
    @pytest.fixture
    def hook(self, db: None, medals: MedalsProvider, settings: Any) -> MedalsHook:
        return MedalsHook(medals, settings)
