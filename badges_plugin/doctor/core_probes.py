"""Register the core's probes, and choose that of the configured event bus."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module

from badges_plugin.conf import CONSUMER_GROUP
from badges_plugin.consumers.lag import configured_buses
from badges_plugin.doctor import database_probes, lag_probe, people_probes, settings_probes
from badges_plugin.doctor.findings import Finding
from badges_plugin.doctor.registry import Reach, register

# Imported only for the configured bus: the client of the other one may be missing.
_BUS_PROBES = {"kafka": "badges_plugin.doctor.kafka_probe", "redis": "badges_plugin.doctor.redis_probe"}


def connect(*, topic: str, group: str = CONSUMER_GROUP) -> None:
    """Register the probes of the core. ``topic``, without its prefix, and ``group`` are those of the consumers."""
    register("switch", settings_probes.enabled, reach=Reach.SETTINGS)
    register("settings", settings_probes.checks, reach=Reach.SETTINGS)
    register("receivers", settings_probes.receivers, reach=Reach.SETTINGS)
    register("consumer", settings_probes.consumer, reach=Reach.SETTINGS)
    register("producer", settings_probes.producer, reach=Reach.SETTINGS)
    register("migrations", database_probes.migrations, reach=Reach.DATABASE)
    register("isolation", database_probes.isolation, reach=Reach.DATABASE)
    register("templates", database_probes.templates, reach=Reach.DATABASE)
    register("failed events", database_probes.failed_events, reach=Reach.DATABASE)
    register("learners", people_probes.learners, reach=Reach.DATABASE)
    register("credentials", people_probes.credentials, reach=Reach.DATABASE)
    register("built-in app", database_probes.builtin_app, reach=Reach.DATABASE)
    register("clock", database_probes.clock, reach=Reach.DATABASE)
    register("retention", database_probes.retained_events, reach=Reach.DATABASE)
    register("announcements", database_probes.announcements, reach=Reach.DATABASE)
    register("processes", lag_probe.processes, reach=Reach.DATABASE)
    register("event bus", partial(bus, topic, group), reach=Reach.NETWORK)


def bus(topic: str, group: str = CONSUMER_GROUP) -> Iterator[Finding]:
    """Check that the event bus answers, has the topic (given without its prefix) and all the group has yet to read."""
    buses = configured_buses()
    if not buses:
        yield Finding.warning(
            "No event bus is configured.", "Set EVENT_BUS_CONSUMER and EVENT_BUS_PRODUCER for Kafka or Redis."
        )
    for each in buses:
        try:
            probe = import_module(_BUS_PROBES[each])
        except ImportError as error:
            yield Finding.error(
                f"The client of {each} is not installed: {error}.",
                f"Install the plugin with its extra: pip install openedx-badges-plugin[{each}].",
            )
        else:
            yield from probe.examine(topic, group)
