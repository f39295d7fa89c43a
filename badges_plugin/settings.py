"""Defaults that the plugin adds to the host's settings, the same for each of the host's settings types."""

from __future__ import annotations

from typing import Any

from badges_plugin.conf import BADGE_EVENT_TYPES, TOPIC


def plugin_settings(settings: Any) -> None:
    """Publish awards and revocations on the bus, unless the settings say otherwise.

    From Sumac on, the host calls this before it reads the operator's YAML, so the YAML wins. The host has entries of
    its own that are off, because it computes them before BADGES_ENABLED is known; they are switched on. Redwood has
    no such entries and reads the YAML first, so an entry that exists there is the operator's and is kept.
    """
    producer_config = dict(getattr(settings, "EVENT_BUS_PRODUCER_CONFIG", None) or {})
    computed_too_early = "credentials.apps.badges" in settings.INSTALLED_APPS
    for event_type in BADGE_EVENT_TYPES:
        topics = dict(producer_config.get(event_type, {}))
        if not topics or computed_too_early:
            topics[TOPIC] = {"event_key_field": "badge.uuid", **topics.get(TOPIC, {}), "enabled": True}
        producer_config[event_type] = topics
    settings.EVENT_BUS_PRODUCER_CONFIG = producer_config
