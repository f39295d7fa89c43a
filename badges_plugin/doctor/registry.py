"""Registry of probes."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from django.apps import AppConfig, apps

from badges_plugin.doctor.findings import Finding, Probe
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe

logger = get_logger(__name__)


class Reach(enum.IntEnum):
    """How far a probe reaches, and so how long it may take."""

    SETTINGS = 0
    DATABASE = 1
    NETWORK = 2
    """Contacts the event bus or a provider."""


OWN_PACKAGE = __name__.partition(".")[0]

_probes: dict[str, tuple[Reach, Probe]] = {}


def register(name: str, probe: Probe, *, reach: Reach) -> None:
    """Add a probe, in place of any of the same name."""
    _probes[name] = (reach, probe)


_packages: set[str] = {OWN_PACKAGE}


def register_package(module: str) -> None:
    """Have the models and migrations of the app that contains ``module``, such as a backend's, examined with ours."""
    if config := apps.get_containing_app_config(module):
        _packages.add(config.name)


def app_configs() -> list[AppConfig]:
    """Return the apps to examine: those of this plugin and the registered ones."""
    return [
        config
        for config in apps.get_app_configs()
        if any(f"{config.name}.".startswith(f"{package}.") for package in _packages)
    ]


def examine(*, reach: Reach = Reach.NETWORK) -> Iterator[tuple[str, Finding]]:
    """Yield the findings of the probes within ``reach``, nearest first. A probe that fails is itself a finding."""
    for name, (own_reach, probe) in sorted(_probes.items(), key=lambda item: (item[1][0], item[0])):
        if own_reach > reach:
            continue
        try:
            for finding in probe():
                yield name, finding
        except Exception as error:  # noqa: BLE001 - a probe that fails is reported, and the others still run
            logger.debug("Probe %s failed: %s", name, describe(error))
            yield (
                name,
                Finding.error(
                    f"The check failed to run: {describe(error)}.",
                    "If the error names the database or the network, fix that first; otherwise report it as a bug.",
                ),
            )
