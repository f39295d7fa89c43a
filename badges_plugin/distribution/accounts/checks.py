"""What can be wrong with the settings of a provider, as Django system checks."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured


def check_provider(section: str, app_label: str, api_address: Callable[[], str]) -> list[CheckMessage]:
    """E001: ``BADGES_CONFIG[section]`` cannot be used. W002: API keys would cross the network in the clear.

    ``api_address`` reads the settings and raises ImproperlyConfigured when they cannot be used.
    """
    try:
        address = urlsplit(api_address())
    except ImproperlyConfigured as error:
        hint = "Correct the setting, or leave the key out to have its default."
        return [Error(str(error), hint=hint, id=f"{app_label}.E001")]
    if address.scheme == "https" or _is_this_machine(address.hostname or ""):
        return []
    return [
        Warning(
            f"API keys are sent to {address.hostname} without encryption.",
            hint=f'Use an address that starts with https:// in BADGES_CONFIG["{section}"].',
            id=f"{app_label}.W002",
        )
    ]


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
