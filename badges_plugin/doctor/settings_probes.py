"""What can be seen in the settings of this process."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.conf import settings
from django.core.checks import INFO, WARNING, CheckMessage
from django.core.checks.registry import registry
from django.utils.module_loading import import_string
from openedx_events.event_bus import EventBusConsumer, NoEventBusProducer, get_producer

from badges_plugin import conf, dispatch, events
from badges_plugin.checks import OWN_EVENT_TYPES
from badges_plugin.doctor.findings import Finding
from badges_plugin.doctor.registry import app_configs, is_examined
from badges_plugin.exceptions import UnusableEventType
from badges_plugin.processing.publishing import disabled_loggers

OUR_CONSUMERS = "badges_plugin.consumers."


def enabled() -> Iterator[Finding]:
    """Badges are switched on, and what they need is installed."""
    if conf.is_enabled():
        yield Finding.ok("Badges are switched on.")
    else:
        yield Finding.error(
            "Badges are switched off: nothing is received, shown or delivered.", "Set BADGES_ENABLED = True."
        )
    if not apps.is_installed("openedx_events"):
        yield Finding.error(
            "openedx_events is not in INSTALLED_APPS: there is no consume_events, and nothing is published.",
            'Add "openedx_events" to INSTALLED_APPS.',
        )


def checks() -> Iterator[Finding]:
    """The Django system checks of all apps of the plugin, and of the backends that are installed."""
    found = _messages()
    for message in found:
        make = Finding.error if message.level > WARNING else Finding.warning
        if message.level > INFO:
            yield make(f"{message.msg} ({message.id})", message.hint or "See the settings reference.")
    if not found:
        yield Finding.ok("The settings pass all checks.")


def _messages() -> list[CheckMessage]:
    """Return what Django's checks say that is about us.

    That is whatever a check of ours says, by whatever number; and of other checks, Django's of models say, what
    bears the label of an app of ours or is about a model of it.
    """
    labels = tuple(f"{config.label}." for config in app_configs())
    return [
        message
        for check in registry.get_checks()
        for message in check(app_configs=None, databases=None)
        if is_examined(getattr(check, "__module__", ""))
        or str(message.id).startswith(labels)
        or is_examined(_module_of(message.obj))
    ]


def _module_of(subject: object) -> str:
    """Return where a model, or the model of a field, is defined."""
    model = getattr(subject, "model", subject)
    return str(getattr(model, "__module__", ""))


def receivers() -> Iterator[Finding]:
    """Every configured event type reaches the plugin."""
    deaf = []
    for name in conf.config().events:
        try:
            signal = events.get_event_type(name).signal
        except UnusableEventType:
            continue  # the checks say so
        if not dispatch.is_connected(signal):
            deaf.append(name)
    if deaf:
        yield Finding.error(
            f"Not received by the plugin: {', '.join(deaf)}.",
            "Switch badges on before the process starts, and restart it after a change of the settings.",
        )
    else:
        yield Finding.ok(f"{len(conf.config().events)} event types are received.")


def consumer() -> Iterator[Finding]:
    """The consumer is one that loses nothing. Its own settings are a matter of the checks."""
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
        yield Finding.error(f"EVENT_BUS_CONSUMER, {name}, is no consumer.", f"Set it to {ours}.")
    elif not any(base.__module__.startswith(OUR_CONSUMERS) for base in found.__mro__):
        yield Finding.error(
            f"EVENT_BUS_CONSUMER is {name}: it acknowledges events also when they could not be applied: they are lost.",
            f"Set it to {ours}.",
        )
    else:
        yield Finding.ok(f"The consumer is {name}.")


def producer() -> Iterator[Finding]:
    """Awards and revocations can be published. Which topics are on is a matter of the checks."""
    name = getattr(settings, "EVENT_BUS_PRODUCER", None)
    if not name:
        yield Finding.warning(
            "EVENT_BUS_PRODUCER is not set: nobody else learns of awards and revocations.",
            "Set it to edx_event_bus_kafka.create_producer or edx_event_bus_redis.create_producer if others should.",
        )
        return
    made = get_producer()
    if isinstance(made, NoEventBusProducer) and not name.endswith(NoEventBusProducer.__name__):
        yield Finding.error(
            f"The producer {name} cannot be made: awards are not published, and are tried again and again.",
            "Install the client library and set EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS and "
            "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL, or EVENT_BUS_REDIS_CONNECTION_URL.",
        )
        return
    yield Finding.ok(f"The producer is {name}.")
    for unheard in disabled_loggers():
        yield Finding.error(
            f"The logger {unheard} is off: awards that the bus did not take would count as published.",
            "Let it report errors: see LOGGING.",
        )
    configured = getattr(settings, "EVENT_BUS_PRODUCER_CONFIG", None) or {}
    for event_type in OWN_EVENT_TYPES:
        for topic, how in configured.get(event_type, {}).items():
            if how.get("enabled") is True and how.get("event_key_field") not in {"badge.uuid", "badge.user.id"}:
                yield Finding.warning(
                    f"Events of type {event_type} have the key {how.get('event_key_field')!r} on topic {topic}.",
                    'Set "event_key_field" to "badge.uuid", so that the events of one badge stay in order.',
                )
