"""Which probes there are."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from django.apps import AppConfig, apps

from badges_plugin.doctor.findings import Finding, Probe
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe

logger = get_logger(__name__)


class Reach(enum.IntEnum):
    """How far a probe goes, and so how long it may take."""

    SETTINGS = 0
    DATABASE = 1
    NETWORK = 2
    """Speaks to the event bus or to a provider."""


OWN_PACKAGE = __name__.partition(".")[0]

_probes: dict[str, tuple[Reach, Probe]] = {}


def register(name: str, probe: Probe, *, reach: Reach) -> None:
    """Add a probe; one of the same name is replaced."""
    _probes[name] = (reach, probe)


_packages: set[str] = {OWN_PACKAGE}


def register_package(module: str) -> None:
    """Examine, with ours, the checks and migrations of the app that ``module`` belongs to: a backend's, say."""
    if config := apps.get_containing_app_config(module):
        _packages.add(config.name)


def app_configs() -> list[AppConfig]:
    """Return the apps that are examined: those of this plugin, and those that were registered."""
    return [config for config in apps.get_app_configs() if is_examined(config.name)]


def is_examined(module: str) -> bool:
    """Whether a module is part of one of these apps."""
    return any(f"{module}.".startswith(f"{package}.") for package in _packages)


def examine(*, reach: Reach = Reach.NETWORK) -> Iterator[tuple[str, Finding]]:
    """Yield what the probes that go this far find, nearest first. A probe that fails is itself a finding."""
    for name, (own_reach, probe) in sorted(_probes.items(), key=lambda item: (item[1][0], item[0])):
        if own_reach > reach:
            continue
        try:
            for finding in probe():
                yield name, finding
        except Exception as error:  # noqa: BLE001 - what a doctor cannot examine, it must say, and go on
            logger.debug("Probe %s failed: %s", name, describe(error))
            yield (
                name,
                Finding.error(
                    f"This could not be examined: {describe(error)}.",
                    "If the error names the database or the network, repair that first; otherwise report it as a bug.",
                ),
            )
