"""What the plugin adds to a host's settings, and what it leaves alone."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from edx_django_utils.plugins.constants import PluginSettings

from badges_plugin.apps import PROJECT_TYPE, BadgesPluginConfig
from badges_plugin.conf import BADGE_EVENT_TYPES, CONSUMER_GROUP, TOPIC
from tutor_badges.config import SETTINGS

AWARDED, REVOKED = BADGE_EVENT_TYPES
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
@pytest.mark.parametrize("settings_type", ["production", "devstack", "test"])
def test_awards_and_revocations_are_published_where_nothing_else_is_said(
    settings_type: str, installed_apps: list[str], before: Any, after: Any
) -> None:
    module = _module_of(settings_type)
    settings = SimpleNamespace(INSTALLED_APPS=installed_apps)
    if before is not None:
        settings.EVENT_BUS_PRODUCER_CONFIG = before
    module.plugin_settings(settings)
    module.plugin_settings(settings)  # from Sumac on the test settings call their hook twice
    assert after == settings.EVENT_BUS_PRODUCER_CONFIG
    assert sorted(vars(settings)) == ["EVENT_BUS_PRODUCER_CONFIG", "INSTALLED_APPS"]


def _module_of(settings_type: str) -> Any:
    """Import the module that the host would use for this settings type, as edx-django-utils finds it."""
    types: Any = BadgesPluginConfig.plugin_app[PluginSettings.CONFIG]
    return import_module(f"badges_plugin.{types[PROJECT_TYPE][settings_type][PluginSettings.RELATIVE_PATH]}")


def test_the_tutor_plugin_has_the_same_topic_and_group() -> None:
    defaults = {setting.name: setting.default for setting in SETTINGS}
    assert (defaults["EVENT_BUS_TOPIC"], defaults["CONSUMER_GROUP"]) == (TOPIC, CONSUMER_GROUP)
