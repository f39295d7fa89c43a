"""The core's probes, put on the list."""

from __future__ import annotations

from functools import partial

from badges_plugin.doctor import bus_probes, database_probes, people_probes, retention_probe, settings_probes
from badges_plugin.doctor.registry import Reach, register


def connect(*, topic: str, group: str = bus_probes.GROUP) -> None:
    """Register the probes of the core; ``topic``, without its prefix, and ``group`` are those of the consumers."""
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
    register("retention", retention_probe.failed_events, reach=Reach.DATABASE)
    register("announcements", database_probes.announcements, reach=Reach.DATABASE)
    register("event bus", partial(bus_probes.bus, topic, group), reach=Reach.NETWORK)
