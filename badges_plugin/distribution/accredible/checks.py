"""What can be wrong with the settings of Accredible, as Django system checks."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from badges_plugin.distribution.accredible import conf


def connect() -> None:
    """Register the checks with Django."""
    register(check_settings)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """E001: BADGES_CONFIG["accredible"] cannot be used. W002: API keys would cross the network in the clear."""
    try:
        settings = conf.config()
    except ImproperlyConfigured as error:
        hint = "Correct the setting, or leave the key out to have its default."
        return [Error(str(error), hint=hint, id="accredible_badges.E001")]
    address = urlsplit(settings.api_root)
    if address.scheme == "https" or _is_this_machine(address.hostname or ""):
        return []
    return [
        Warning(
            f"API keys are sent to {address.hostname} without encryption.",
            hint='Use an address that starts with https:// in BADGES_CONFIG["accredible"].',
            id="accredible_badges.W002",
        )
    ]


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
