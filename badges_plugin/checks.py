"""Django system checks of the core's settings."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from badges_plugin import conf, events
from badges_plugin.conf import BADGE_EVENT_TYPES, CHECK_TAG
from badges_plugin.exceptions import UnusableEventType
from badges_plugin.images import conf as images_conf


def connect() -> None:
    """Register the checks with Django."""
    register(check_configuration, CHECK_TAG)
    register(check_publishing, CHECK_TAG)


def check_configuration(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Return E001: invalid BADGES_CONFIG; E002: unusable event type; W003: no event type; W029: bad font."""
    try:
        configured = conf.config().events
        bad_fonts = images_conf.problems()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="See the settings reference of the badges plugin.", id="badges_plugin.E001")]
    messages: list[CheckMessage] = [
        Warning(text, hint="Correct the path. Images are drawn without this font.", id="badges_plugin.W029")
        for text in bad_fonts
    ]
    if not configured:
        messages.append(
            Warning(
                'BADGES_CONFIG["events"] is empty: no event is processed and no badge can be earned.',
                hint="Remove the key to use the default event types.",
                id="badges_plugin.W003",
            )
        )
    for name in configured:
        try:
            events.get_event_type(name)
        except UnusableEventType as error:
            messages.append(
                Error(
                    str(error),
                    hint='Correct or remove it in BADGES_CONFIG["events"], or install a newer openedx-events.',
                    id="badges_plugin.E002",
                )
            )
    return messages


def check_publishing(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Return W004: there is an event bus, but awards or revocations are not published on it."""
    if not getattr(settings, "EVENT_BUS_PRODUCER", None):
        return []
    producer_config = getattr(settings, "EVENT_BUS_PRODUCER_CONFIG", None) or {}
    return [
        Warning(
            f"Events of type {name} are not published: no topic of EVENT_BUS_PRODUCER_CONFIG enables it.",
            hint='Set "enabled": True for it. The host computes its default before BADGES_ENABLED is known.',
            id="badges_plugin.W004",
        )
        for name in BADGE_EVENT_TYPES
        if not any(topic.get("enabled") is True for topic in producer_config.get(name, {}).values())
    ]
