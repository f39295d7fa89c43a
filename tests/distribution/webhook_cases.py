"""What every webhook must withstand, as a suite to inherit.

A backend's tests subclass WebhookCases and provide the fixture ``hook``: the address, a notification that is good, and
how many requests have left for the provider.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

import pytest
from django.core.cache import cache
from django.test import Client


class Hook(Protocol):
    """A webhook that can be called. ``ids`` are the names of the fields that hold ids."""

    url: str
    ids: tuple[str, ...]

    def good(self) -> dict[str, Any]:
        """A notification about something that has just happened at the provider and was not applied yet."""

    def outbound(self) -> int:
        """How many requests have arrived at the provider."""

    def state(self) -> object:
        """Everything that a notification may change."""

    def use_secret(self, secret: str) -> str:
        """Configure a secret; the address with it."""

    def break_down(self) -> None:
        """Make the provider unreachable."""

    def recover(self) -> None:
        """Make it reachable again."""


HOSTILE_IDS = [
    "",
    None,
    0,
    True,
    [],
    {},
    ["3b0f9a0e-8d5a-4a53-9a0e-2f6e0a7b1c2d"],
    {"id": "3b0f9a0e-8d5a-4a53-9a0e-2f6e0a7b1c2d"},
    "x" * 10_000,
    "../../../anything?x=1#",
    "3b0f9a0e-8d5a-4a53-9a0e-2f6e0a7b1c2d/../../badges",
    "3b0f9a0e-8d5a-4a53-9a0e-2f6e0a7b1c2d?x=1",
    "3b0f9a0e-8d5a-4a53-9a0e-2f6e0a7b1c2d%2F..",
    "https://evil.example/",
    "//evil.example/x",
    "http://127.0.0.1:1/",
    "3b0f9a0e-8d5a-4a53-9a0e-2f6e0a7b1c2d\r\nHost: evil.example",
    "\x00",
    "' OR 1=1 --",
    "{{7*7}}",
]


class WebhookCases:
    """Inherit and provide the fixture ``hook``."""

    @pytest.fixture(autouse=True)
    def fresh_throttle(self) -> None:
        cache.clear()

    def send(self, hook: Hook, body: Any, url: str | None = None) -> int:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return (
            Client(raise_request_exception=True)
            .post(url or hook.url, content, content_type="application/json")
            .status_code
        )

    def test_a_good_notification_is_applied_once(self, hook: Hook) -> None:
        good, before = hook.good(), hook.state()
        assert self.send(hook, good) == 200
        after, outbound = hook.state(), hook.outbound()
        assert after != before

        assert self.send(hook, good) == 200
        assert (hook.state(), hook.outbound()) == (after, outbound)

    @pytest.mark.parametrize("value", HOSTILE_IDS, ids=repr)
    def test_hostile_ids_reach_nobody(self, hook: Hook, value: object) -> None:
        good = hook.good()
        before = (hook.state(), hook.outbound())
        for name in hook.ids:
            assert 400 <= self.send(hook, {**good, name: value}) < 500
            assert 400 <= self.send(hook, {key: item for key, item in good.items() if key != name}) < 500

        assert (hook.state(), hook.outbound()) == before

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"null",
            b"[]",
            b'"text"',
            b"\xff\xfe",
            b"id=1&organization_id=2",
            b"[" * 8000,
            b'{"id": "' + b"x" * 20_000 + b'"}',
            b'{"id": 1' + b"0" * 5000 + b"}",
        ],
        ids=range(10),
    )
    def test_malformed_bodies_reach_nobody(self, hook: Hook, body: bytes) -> None:
        before = (hook.state(), hook.outbound())

        assert 400 <= self.send(hook, body) < 500
        assert (hook.state(), hook.outbound()) == before

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_other_methods_are_refused(self, hook: Hook, method: str) -> None:
        assert getattr(Client(), method)(hook.url).status_code == 405

    def test_what_the_notification_says_itself_does_not_count(self, hook: Hook) -> None:
        good = hook.good()
        liar = {name: value if name in hook.ids else "lie" for name, value in good.items()}
        assert self.send(hook, {**liar, "data": {"state": "archived"}, "badge_template": {"name": "Forged"}}) == 200

        assert "Forged" not in str(hook.state())

    def test_while_the_provider_is_away_it_is_asked_for_later(self, hook: Hook) -> None:
        good, before = hook.good(), hook.state()
        hook.break_down()
        assert self.send(hook, good) == 503
        assert hook.state() == before

        hook.recover()
        assert self.send(hook, good) == 200
        assert hook.state() != before

    def test_the_secret_is_part_of_the_address(self, hook: Hook) -> None:
        good = hook.good()
        url = hook.use_secret("s3cret")
        before = (hook.state(), hook.outbound())
        for wrong in (hook.url, url.replace("s3cret", "other"), url.replace("s3cret", "s3cre")):
            assert self.send(hook, good, wrong) == 404
        assert (hook.state(), hook.outbound()) == before

        assert self.send(hook, good, url) == 200

    def test_who_does_not_know_the_secret_cannot_use_up_the_limit(self, hook: Hook, few_a_minute: None) -> None:
        good, url = hook.good(), hook.use_secret("s3cret")
        assert [self.send(hook, good, hook.url) for _ in range(8)] == [404] * 8

        assert self.send(hook, good, url) == 200

    @pytest.fixture
    def few_a_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("badges_plugin.distribution.webhooks.WebhookView.throttle_rate", "5/min")

    def test_a_flood_is_cut_off(self, hook: Hook, few_a_minute: None) -> None:
        answers = [self.send(hook, {}) for _ in range(8)]

        assert answers == [400] * 5 + [429] * 3
