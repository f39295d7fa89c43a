"""Examine a provider with accounts: Django checks of its settings, and whether it accepts our API keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.db.models import Model

from badges_plugin.distribution.exceptions import DeliveryFailure, RejectedKey, TransientFailure
from badges_plugin.doctor import Finding

SettingsT = TypeVar("SettingsT")


def check_provider(section: str, app_label: str, api_url: Callable[[], str]) -> list[CheckMessage]:
    """E001: ``BADGES_CONFIG[section]`` cannot be used. W002: API keys would be sent without encryption.

    ``api_url`` reads the settings and raises ImproperlyConfigured when they cannot be used.
    """
    try:
        url = urlsplit(api_url())
    except ImproperlyConfigured as error:
        hint = "Correct the setting, or remove the key to use its default."
        return [Error(str(error), hint=hint, id=f"{app_label}.E001")]
    if url.scheme == "https" or _is_this_machine(url.hostname or ""):
        return []
    return [
        Warning(
            f"API keys are sent to {url.hostname} without encryption.",
            hint=f'Use a URL that starts with https:// in BADGES_CONFIG["{section}"].',
            id=f"{app_label}.W002",
        )
    ]


def usable(read: Callable[[], SettingsT]) -> SettingsT | None:
    """Return what ``read`` makes of the settings; None when they cannot be used, which is E001."""
    try:
        return read()
    except ImproperlyConfigured:
        return None


def can_read(model: type[Model], databases: Sequence[str] | None) -> bool:
    """Return whether a check that was given ``databases`` can read a model. Before the first ``migrate`` it cannot."""
    alias = router.db_for_read(model)
    return alias in (databases or ()) and model._meta.db_table in connections[alias].introspection.table_names()


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class KeyProbe:
    """A probe of the accounts of a provider, and its advice. All texts are for operators, in English."""

    provider: str
    url: str
    url_setting: str
    key_advice: str
    refusal_advice: str

    def examine(self, account: str, ask: Callable[[], object]) -> Finding:
        """Send a request with the account's key by ``ask``, which raises a DeliveryFailure."""
        try:
            ask()
        except RejectedKey as failure:
            problem, advice = f"does not accept the key of {account}: {failure.reason}", self.key_advice
        except TransientFailure as failure:
            problem = f"cannot be reached at {self.url}: {failure.reason}"
            advice = f"Check the network, the firewall and {self.url_setting}. Deliveries wait and are not lost."
        except DeliveryFailure as failure:
            problem, advice = f"refuses to answer {account}: {failure.reason}", self.refusal_advice
        else:
            return Finding.ok(f"{self.provider} accepts the key of {account}.")
        return Finding.error(f"{self.provider} {problem}", advice)
