"""BADGES_CONFIG["credly"]: the names of the specification, the switch, and mistakes that are named."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ImproperlyConfigured

from badges_plugin.distribution.credly.checks import check_settings
from badges_plugin.distribution.credly.conf import config
from sandbox.credly import DEMO_ORGANIZATION_ID


def test_production_by_default(settings: Any) -> None:
    settings.BADGES_CONFIG = {}

    assert (config().base_url, config().api_base_url) == ("https://credly.com/", "https://api.credly.com/v1/")
    assert check_settings(None) == []


def test_the_sandbox_by_one_switch(settings: Any) -> None:
    settings.BADGES_CONFIG = {"credly": {"USE_SANDBOX": True}}

    assert config().base_url == "https://sandbox.credly.com/"
    assert config().api_base_url == "https://sandbox-api.credly.com/v1/"


def test_keys_of_organizations(settings: Any) -> None:
    settings.BADGES_CONFIG = {"credly": {"ORGANIZATIONS": {DEMO_ORGANIZATION_ID.upper(): "key"}}}

    assert config().organizations == {UUID(DEMO_ORGANIZATION_ID): "key"}


def test_secrets_are_not_in_what_an_error_report_shows(settings: Any) -> None:
    keys = {"ORGANIZATIONS": {DEMO_ORGANIZATION_ID: "hidden key"}, "WEBHOOK_SECRET": "hidden-word"}
    settings.BADGES_CONFIG = {"credly": keys}

    assert "hidden" not in repr(config())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"CREDLY_API_KEY": "x"}, "CREDLY_API_KEY"),
        ({"USE_SANDBOX": "yes"}, '"USE_SANDBOX"'),
        ({"CREDLY_API_BASE_URL": "api.credly.com/v1"}, '"CREDLY_API_BASE_URL"'),
        ({"CREDLY_API_BASE_URL": "ftp://api.credly.com/v1"}, '"CREDLY_API_BASE_URL"'),
        ({"CREDLY_API_BASE_URL": "https://api.credly.com/v1?x=1"}, '"CREDLY_API_BASE_URL"'),
        ({"CREDLY_API_BASE_URL": "https://user:word@proxy.example/v1"}, '"CREDLY_API_BASE_URL"'),
        ({"CREDLY_API_BASE_URL": "https://[::1/v1"}, '"CREDLY_API_BASE_URL"'),
        ({"ORGANIZATIONS": {"x": "key"}}, '"ORGANIZATIONS"'),
        ({"ORGANIZATIONS": {DEMO_ORGANIZATION_ID: ""}}, '"ORGANIZATIONS"'),
        ({"ORGANIZATIONS": [DEMO_ORGANIZATION_ID]}, '"ORGANIZATIONS"'),
        ({"LOCALE": "tlh"}, '"LOCALE"'),
        ({"LOCALE": ["en"]}, '"LOCALE"'),
        ({"REQUESTS_PER_MINUTE": 0}, '"REQUESTS_PER_MINUTE"'),
        ({"WEBHOOK_SECRET": 1}, '"WEBHOOK_SECRET"'),
        # The address would never be found.
        ({"WEBHOOK_SECRET": "long/word"}, "one part of a URL"),
    ],
)
def test_mistakes_are_named_and_found_by_check(settings: Any, values: Any, words: str) -> None:
    settings.BADGES_CONFIG = {"credly": values}
    with pytest.raises(ImproperlyConfigured, match=words):
        config()

    assert [message.id for message in check_settings(None)] == ["credly_badges.E001"]


@pytest.mark.parametrize(
    ("address", "ids"),
    [
        ("http://credly.example/v1/", ["credly_badges.W002"]),
        ("http://127.0.0.1:9999/v1/", []),
        ("http://[::1]:9999/v1/", []),
        ("http://localhost/v1/", []),
    ],
)
def test_keys_do_not_cross_the_network_in_the_clear(settings: Any, address: str, ids: list[str]) -> None:
    settings.BADGES_CONFIG = {"credly": {"CREDLY_API_BASE_URL": address}}

    assert [message.id for message in check_settings(None)] == ids
