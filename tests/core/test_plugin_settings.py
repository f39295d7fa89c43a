"""What the plugin adds to a host's settings, and what it leaves alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from badges_plugin.settings import devstack, production
from badges_plugin.settings import test as test_type
from badges_plugin.settings.production import EVENT_TYPES, TOPIC

AWARDED, REVOKED = EVENT_TYPES
ON = {TOPIC: {"event_key_field": "badge.uuid", "enabled": True}}
OFF = {TOPIC: {"event_key_field": "badge.uuid", "enabled": False}}
BUILT_IN = ["credentials.apps.badges"]


@pytest.mark.parametrize(
    ("installed_apps", "before", "after"),
    [
        # Redwood: the host says nothing.
        ([], None, {AWARDED: ON, REVOKED: ON}),
        ([], {}, {AWARDED: ON, REVOKED: ON}),
        # Redwood: the operator's YAML was read already.
        ([], {AWARDED: OFF}, {AWARDED: OFF, REVOKED: ON}),
        ([], {AWARDED: {"mine": {"enabled": True}}}, {AWARDED: {"mine": {"enabled": True}}, REVOKED: ON}),
        # Sumac and later: the host's own entries, computed before BADGES_ENABLED was known.
        (BUILT_IN, {AWARDED: OFF, REVOKED: OFF}, {AWARDED: ON, REVOKED: ON}),
        # Other event types are nobody's business here.
        (BUILT_IN, {"x": {"y": {}}}, {"x": {"y": {}}, AWARDED: ON, REVOKED: ON}),
    ],
)
@pytest.mark.parametrize("module", [production, devstack, test_type])
def test_awards_and_revocations_are_published_where_nothing_else_is_said(
    module: Any, installed_apps: list[str], before: Any, after: Any
) -> None:
    settings = SimpleNamespace(INSTALLED_APPS=installed_apps)
    if before is not None:
        settings.EVENT_BUS_PRODUCER_CONFIG = before
    module.plugin_settings(settings)
    module.plugin_settings(settings)  # from Sumac on the test settings call their hook twice
    assert after == settings.EVENT_BUS_PRODUCER_CONFIG
    assert sorted(vars(settings)) == ["EVENT_BUS_PRODUCER_CONFIG", "INSTALLED_APPS"]
