"""What can be wrong with the settings of deliveries, as Django system checks."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from badges_plugin.conf import CHECK_TAG
from badges_plugin.distribution import conf


def connect() -> None:
    """Register the checks with Django."""
    register(check_settings, CHECK_TAG)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """E001: BADGES_CONFIG["distribution"] cannot be used."""
    try:
        conf.config()
    except ImproperlyConfigured as error:
        hint = "Correct the setting, or leave the key out to have its default."
        return [Error(str(error), hint=hint, id="badges_distribution.E001")]
    return []
