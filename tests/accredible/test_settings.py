"""BADGES_CONFIG["accredible"]: the names of the host, the switch, and mistakes that are named."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from badges_plugin.distribution.accredible.checks import check_settings
from badges_plugin.distribution.accredible.conf import config


@pytest.mark.parametrize(
    ("values", "root"),
    [
        ({}, "https://api.accredible.com/"),
        ({"USE_EU": True}, "https://eu.api.accredible.com/"),
        ({"USE_SANDBOX": True}, "https://sandbox.api.accredible.com/"),
        # With or without a version: both are needed.
        ({"ACCREDIBLE_API_BASE_URL": "https://proxy.example/accredible/v2"}, "https://proxy.example/accredible/"),
        ({"ACCREDIBLE_API_BASE_URL": "https://proxy.example/accredible"}, "https://proxy.example/accredible/"),
    ],
)
def test_which_accredible(settings: Any, values: dict[str, Any], root: str) -> None:
    settings.BADGES_CONFIG = {"accredible": values}

    assert config().api_root == root
    assert check_settings(None) == []


def test_keys_are_not_in_what_an_error_report_shows(settings: Any) -> None:
    settings.BADGES_CONFIG = {"accredible": {"API_KEYS": {"main": "hidden key"}}}

    assert "hidden" not in repr(config())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"ACCREDIBLE_API_KEY": "x"}, "ACCREDIBLE_API_KEY"),
        ({"USE_SANDBOX": "yes"}, '"USE_SANDBOX"'),
        ({"USE_EU": 1}, '"USE_EU"'),
        ({"USE_EU": True, "USE_SANDBOX": True}, '"USE_EU"'),
        ({"ACCREDIBLE_API_BASE_URL": "api.accredible.com/v1"}, '"ACCREDIBLE_API_BASE_URL"'),
        ({"ACCREDIBLE_SANDBOX_BASE_URL": 7}, '"ACCREDIBLE_SANDBOX_BASE_URL"'),
        ({"ACCREDIBLE_API_BASE_URL": "https://[::1/v1"}, '"ACCREDIBLE_API_BASE_URL"'),
        ({"API_KEYS": ["key"]}, '"API_KEYS"'),
        ({"API_KEYS": {"Demo": ""}}, '"API_KEYS"'),
        ({"API_KEYS": {5: "key"}}, '"API_KEYS"'),
        ({"API_KEYS": {"Main": "key", "main": "other"}}, '"API_KEYS"'),
        ({"REQUESTS_PER_MINUTE": -1}, '"REQUESTS_PER_MINUTE"'),
        ({"REQUESTS_PER_MINUTE": True}, '"REQUESTS_PER_MINUTE"'),
    ],
)
def test_mistakes_are_named_and_found_by_check(settings: Any, values: Any, words: str) -> None:
    settings.BADGES_CONFIG = {"accredible": values}
    with pytest.raises(ImproperlyConfigured, match=words):
        config()

    assert [message.id for message in check_settings(None)] == ["accredible_badges.E001"]


@pytest.mark.parametrize(
    ("address", "ids"),
    [("http://accredible.example/v1/", ["accredible_badges.W002"]), ("http://127.0.0.1:9999/v1/", [])],
)
def test_keys_do_not_cross_the_network_in_the_clear(settings: Any, address: str, ids: list[str]) -> None:
    settings.BADGES_CONFIG = {"accredible": {"ACCREDIBLE_API_BASE_URL": address}}

    assert [message.id for message in check_settings(None)] == ids


@pytest.mark.parametrize(("given", "pace"), [({}, 360.0), ({"REQUESTS_PER_MINUTE": 0}, None)])
def test_the_pace_stays_below_what_accredible_allows(settings: Any, given: Any, pace: float | None) -> None:
    settings.BADGES_CONFIG = {"accredible": given}

    assert config().requests_per_minute == pace


@pytest.mark.parametrize("size", [0, 31, 1.5, True, "30"])
def test_bulk_sizes_that_accredible_does_not_take(settings: Any, size: Any) -> None:
    settings.BADGES_CONFIG = {"accredible": {"BULK_SIZE": size}}

    [message] = check_settings(None)
    assert "BULK_SIZE" in str(message.msg)
