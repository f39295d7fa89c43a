"""BADGES_CONFIG["distribution"]: defaults, and mistakes that are named."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from badges_plugin.distribution.checks import check_settings
from badges_plugin.distribution.conf import config


def test_the_defaults(settings: Any) -> None:
    settings.BADGES_CONFIG = {}

    assert check_settings(None) == []
    assert (config().lease, config().notify, config().retry.cap) == (120, False, 900)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"retry_frist": 1}, "retry_frist"),
        ({"lease": "long"}, '"lease"'),
        ({"lease": -1}, '"lease"'),
        ({"retry_cap": True}, '"retry_cap"'),
        ({"keep_attempts_days": -1}, "keep_attempts_days.* from 0 to 100000, not -1"),
        ({"notify": "yes"}, "must be True or False, not 'yes'"),
        # Every request would fail, or the provider be hammered.
        ({"request_timeout": 0}, "request_timeout.* from 0.1"),
        ({"retry_factor": 0.5}, "retry_factor.* 1 or more"),
        ({"retry_jitter": 2}, "retry_jitter.* from 0 to 1"),
        ({"retry_breaker_threshold": 0}, "retry_breaker_threshold.* 1 or more"),
        # A worker could still be sending what another has taken over.
        ({"lease": 20, "request_timeout": 30}, "longer than request_timeout"),
        # Nothing could ever be sent: no claim would leave the time for it.
        ({"lease": 35, "request_timeout": 30}, "more than 5 seconds"),
        ({"lease": float("nan")}, '"lease"'),
        ({"retry_cap": float("inf")}, '"retry_cap"'),
        # An instant so late has no date.
        ({"lease": 1e300}, '"lease".* from 0 to 8640000000,'),
        ({"retry_cap": 1e12}, '"retry_cap"'),
        ([1], "must be a dictionary"),
    ],
)
def test_mistakes_are_named_and_found_by_check(settings: Any, values: Any, words: str) -> None:
    settings.BADGES_CONFIG = {"distribution": values}
    with pytest.raises(ImproperlyConfigured, match=words):
        config()

    [message] = check_settings(None)
    assert message.id == "badges_distribution.E001"
