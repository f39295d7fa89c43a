"""Probes of the settings of this process."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.conf import settings
from django.core.checks import INFO, WARNING, Tags, run_checks
from django.utils.module_loading import import_string
from openedx_events.event_bus import EventBusConsumer, NoEventBusProducer, get_producer

from badges_plugin import conf, dispatch, events
from badges_plugin.conf import BADGE_EVENT_TYPES, CHECK_TAG
from badges_plugin.doctor.findings import Finding
from badges_plugin.doctor.registry import app_configs
from badges_plugin.exceptions import UnusableEventType
from badges_plugin.processing.publishing import disabled_loggers

OUR_CONSUMERS = "badges_plugin.consumers."


def enabled() -> Iterator[Finding]:
    """Check that badges are switched on and that openedx_events is installed."""
    if conf.is_enabled():
        yield Finding.ok("Badges are switched on.")
    else:
        yield Finding.error(
            "Badges are switched off: nothing is received, shown or delivered.", "Set BADGES_ENABLED = True."
        )
    if not apps.is_installed("openedx_events"):
        yield Finding.error(
            "openedx_events is not in INSTALLED_APPS: consume_events does not exist, and nothing is published.",
            'Add "openedx_events" to INSTALLED_APPS.',
        )


def checks() -> Iterator[Finding]:
    """Run the Django system checks that have our tag, and Django's own checks of the models and admin of our apps."""
    found = run_checks(app_configs=app_configs(), tags=[CHECK_TAG, Tags.models, Tags.admin])
    for message in found:
        make = Finding.error if message.level > WARNING else Finding.warning
        if message.level > INFO:
            yield make(f"{message.msg} ({message.id})", message.hint or "See the settings reference.")
    if not found:
        yield Finding.ok("The settings pass all checks.")


def receivers() -> Iterator[Finding]:
    """Check that every configured event type reaches the plugin."""
    unconnected = []
    for name in conf.config().events:
        try:
            signal = events.get_event_type(name).signal
        except UnusableEventType:
            continue  # the system checks report it
        if not dispatch.is_connected(signal):
            unconnected.append(name)
    if unconnected:
        yield Finding.error(
            f"The plugin does not receive these event types: {', '.join(unconnected)}.",
            "Switch badges on before the process starts, and restart it after each change of the settings.",
        )
    else:
        yield Finding.ok(f"{len(conf.config().events)} event types are received.")


def consumer() -> Iterator[Finding]:
    """Check that the configured consumer loses no events. Its own settings are for the system checks."""
    name = getattr(settings, "EVENT_BUS_CONSUMER", None)
    ours = "badges_plugin.consumers.kafka.KafkaConsumer or badges_plugin.consumers.redis.RedisConsumer"
    if not name:
        yield Finding.error("EVENT_BUS_CONSUMER is not set: no event arrives.", f"Set it to {ours}.")
        return
    try:
        found = import_string(name)
    except ImportError as error:
        yield Finding.error(f"EVENT_BUS_CONSUMER cannot be imported: {error}.", f"Set it to {ours}.")
        return
    if not (isinstance(found, type) and issubclass(found, EventBusConsumer)):
        yield Finding.error(f"EVENT_BUS_CONSUMER, {name}, is not a consumer.", f"Set it to {ours}.")
    elif not any(base.__module__.startswith(OUR_CONSUMERS) for base in found.__mro__):
        yield Finding.error(
            f"EVENT_BUS_CONSUMER is {name}. It acknowledges events that could not be applied: they are lost.",
            f"Set it to {ours}.",
        )
    else:
        yield Finding.ok(f"The consumer is {name}.")


def producer() -> Iterator[Finding]:
    """Check that awards and revocations can be published. Which topics are enabled is for the system checks."""
    name = getattr(settings, "EVENT_BUS_PRODUCER", None)
    if not name:
        yield Finding.warning(
            "EVENT_BUS_PRODUCER is not set: other services are not told about awards and revocations.",
            "If they should be, set it to edx_event_bus_kafka.create_producer or edx_event_bus_redis.create_producer.",
        )
        return
    made = get_producer()
    if isinstance(made, NoEventBusProducer) and not name.endswith(NoEventBusProducer.__name__):
        yield Finding.error(
            f"The producer {name} cannot be created: publishing awards fails and is retried again and again.",
            "Install the client library and set EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS and "
            "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL, or EVENT_BUS_REDIS_CONNECTION_URL.",
        )
        return
    yield Finding.ok(f"The producer is {name}.")
    for disabled in disabled_loggers():
        yield Finding.error(
            f"The logger {disabled} is off: awards that the bus did not accept would count as published.",
            "Let it report errors: see LOGGING.",
        )
    configured = getattr(settings, "EVENT_BUS_PRODUCER_CONFIG", None) or {}
    for event_type in BADGE_EVENT_TYPES:
        for topic, how in configured.get(event_type, {}).items():
            if how.get("enabled") is True and how.get("event_key_field") not in {"badge.uuid", "badge.user.id"}:
                yield Finding.warning(
                    f"Events of type {event_type} have the key {how.get('event_key_field')!r} on topic {topic}.",
                    'Set "event_key_field" to "badge.uuid", so that the events of one badge stay in order.',
                )
