"""Settings of a production host: publish what becomes of badges."""

from __future__ import annotations

from typing import Any

TOPIC = "learning-badges-lifecycle"
EVENT_TYPES = ("org.openedx.learning.badge.awarded.v1", "org.openedx.learning.badge.revoked.v1")


def plugin_settings(settings: Any) -> None:
    """Publish awards and revocations on the bus, where nothing else is said.

    From Sumac on the host has entries of its own that are off, because it computes them before BADGES_ENABLED
    is known; they are switched on. The operator's YAML, which is read later there, still wins. In Redwood the
    YAML was read before, but the host has no entries, so one that exists is the operator's and stays.
    """
    producer_config = dict(getattr(settings, "EVENT_BUS_PRODUCER_CONFIG", None) or {})
    computed_too_early = "credentials.apps.badges" in settings.INSTALLED_APPS
    for event_type in EVENT_TYPES:
        topics = dict(producer_config.get(event_type, {}))
        if not topics or computed_too_early:
            topics[TOPIC] = {"event_key_field": "badge.uuid", **topics.get(TOPIC, {}), "enabled": True}
        producer_config[event_type] = topics
    settings.EVENT_BUS_PRODUCER_CONFIG = producer_config
