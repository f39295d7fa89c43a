"""The typed view of BADGES_CONFIG["metrics"]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from django.core.exceptions import ImproperlyConfigured

from badges_plugin.sections import Section

_DEFAULTS: dict[str, object] = {"enabled": False, "token": "", "networks": []}
_SHORTEST_TOKEN = 16


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """Who may read the metrics: whoever has the token, and clients in one of the networks that come without a proxy."""

    enabled: bool
    token: str
    networks: tuple[IPv4Network | IPv6Network, ...]


def metrics() -> MetricsConfig:
    """Return the settings of the metrics, with their defaults.

    .. setting_name: BADGES_CONFIG["metrics"]
    .. setting_default: {}
    .. setting_description: ``enabled`` (False) serves numbers for Prometheus at ``/badges/metrics/``. Who reads them
        needs the ``token``, as "Authorization: Bearer TOKEN", of 16 characters or more, or an address in one of the
        ``networks``, a list such as ``["10.0.0.0/8"]``; one of the two must be set. An address counts only if the
        request did not come through a proxy.

    Raises ImproperlyConfigured, naming the key, when a value cannot be used.
    """
    values = Section("metrics", _DEFAULTS)
    config = MetricsConfig(values.flag("enabled"), values.text("token"), _networks(values))
    if config.token and (len(config.token) < _SHORTEST_TOKEN or not config.token.isascii()):
        raise values.wrong("token", f"{_SHORTEST_TOKEN} or more characters of ASCII")
    if config.enabled and not config.token and not config.networks:
        raise values.wrong("token", "set, or else networks: the numbers are not for everybody")
    return config


def usable_metrics() -> MetricsConfig:
    """Return the settings; where they cannot be used, the metrics are off. The check badges_web.E021 tells."""
    try:
        return metrics()
    except ImproperlyConfigured:
        return MetricsConfig(enabled=False, token="", networks=())


def _networks(values: Section) -> tuple[IPv4Network | IPv6Network, ...]:
    given = values["networks"]
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise values.wrong("networks", 'a list of networks such as ["10.0.0.0/8"]')
    try:
        return tuple(ip_network(str(each)) for each in given)
    except ValueError as error:
        raise values.wrong("networks", 'a list of networks such as ["10.0.0.0/8"]') from error
