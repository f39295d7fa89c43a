"""Whether the event bus is there. The client libraries are imported only for the bus that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from django.conf import settings

from badges_plugin.doctor.findings import Finding

_PROBES = {"kafka": "badges_plugin.doctor.kafka_probe", "redis": "badges_plugin.doctor.redis_probe"}


GROUP = "credentials-badges"
"""The group of the consumers, as the documentation and the Tutor plugin call it."""


def bus(topic: str, group: str = GROUP) -> Iterator[Finding]:
    """The event bus answers and has the topic, given without its prefix, and all that the group has yet to read."""
    names = f"{getattr(settings, 'EVENT_BUS_CONSUMER', '')} {getattr(settings, 'EVENT_BUS_PRODUCER', '')}".lower()
    buses = [bus for bus in _PROBES if bus in names]
    if not buses:
        yield Finding.warning(
            "The settings name no event bus.", "Set EVENT_BUS_CONSUMER and EVENT_BUS_PRODUCER for Kafka or Redis."
        )
    for each in buses:
        try:
            probe = import_module(_PROBES[each])
        except ImportError as error:
            yield Finding.error(
                f"The client of {each} is not installed: {error}.",
                f"Install the plugin with its extra: pip install openedx-badges-plugin[{each}].",
            )
        else:
            yield from probe.examine(topic, group)
