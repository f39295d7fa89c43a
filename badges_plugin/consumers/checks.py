"""What can be wrong with the settings of the consumers, as a Django system check."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from .config import consumer_config


def connect() -> None:
    """Register the check with Django."""
    register(check_settings)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """E005: BADGES_CONFIG["consumer"] cannot be used, and no consumer can start."""
    try:
        consumer_config()
    except ImproperlyConfigured as error:
        hint = "Correct the setting, or leave the key out to have its default."
        return [Error(str(error), hint=hint, id="badges_plugin.E005")]
    return []
