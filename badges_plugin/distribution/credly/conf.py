"""The typed view of BADGES_CONFIG["credly"]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from badges_plugin.sections import Section

_DEFAULTS: dict[str, object] = {
    "CREDLY_BASE_URL": "https://credly.com/",
    "CREDLY_API_BASE_URL": "https://api.credly.com/v1/",
    "CREDLY_SANDBOX_BASE_URL": "https://sandbox.credly.com/",
    "CREDLY_SANDBOX_API_BASE_URL": "https://sandbox-api.credly.com/v1/",
    "USE_SANDBOX": False,
    "ORGANIZATIONS": {},
    "LOCALE": "",
    "SUPPRESS_ISSUE_EMAIL": False,
    "SUPPRESS_REVOKE_EMAIL": False,
    "REQUESTS_PER_MINUTE": None,
    "WEBHOOK_SECRET": "",
}

BUILTIN_DEFAULTS = {
    name: value for name, value in _DEFAULTS.items() if name.endswith("BASE_URL") or name == "USE_SANDBOX"
}
"""The keys of this section that the host's built-in badges app reads and has no defaults for."""

# https://www.credly.com/docs/issued_badges#issue-a-badge
LOCALES = ("en", "fr", "de", "ko", "ja", "zh-CN", "pt", "es-ES", "es-US", "fr-CA", "pt-BR")


@dataclass(frozen=True, slots=True)
class CredlyConfig:
    """The settings of Credly.

    ``organizations`` has API keys by organization; they win over those in the database.
    """

    base_url: str
    api_base_url: str
    organizations: Mapping[UUID, str] = field(repr=False)
    locale: str
    suppress_issue_email: bool
    suppress_revoke_email: bool
    requests_per_minute: float | None
    webhook_secret: str = field(repr=False)


def config() -> CredlyConfig:
    """Return the settings of Credly, with their defaults.

    .. setting_name: BADGES_CONFIG["credly"]
    .. setting_default: the URLs of Credly, production
    .. setting_description: ``USE_SANDBOX`` chooses between the URLs ``CREDLY_BASE_URL``, ``CREDLY_API_BASE_URL``
        and their ``CREDLY_SANDBOX_...`` twins. ``ORGANIZATIONS`` maps organization ids to API keys that are not to be
        kept in the database. ``LOCALE`` is the language of Credly's e-mails. ``SUPPRESS_ISSUE_EMAIL`` and
        ``SUPPRESS_REVOKE_EMAIL`` stop them. ``REQUESTS_PER_MINUTE`` slows all workers together down to that.
        ``WEBHOOK_SECRET`` becomes a part of the webhook's URL.

    Raises ImproperlyConfigured, naming the key, when a value cannot be used.
    """
    values = Section("credly", _DEFAULTS)
    prefix = "CREDLY_SANDBOX_" if values.flag("USE_SANDBOX") else "CREDLY_"
    return CredlyConfig(
        base_url=values.url(f"{prefix}BASE_URL"),
        api_base_url=values.url(f"{prefix}API_BASE_URL"),
        organizations=_organizations(values),
        locale=_locale(values),
        suppress_issue_email=values.flag("SUPPRESS_ISSUE_EMAIL"),
        suppress_revoke_email=values.flag("SUPPRESS_REVOKE_EMAIL"),
        requests_per_minute=values.pace("REQUESTS_PER_MINUTE", unlimited=None),
        webhook_secret=_secret(values),
    )


def _secret(values: Section) -> str:
    value = values.text("WEBHOOK_SECRET")
    if re.search(r"[/?#%\s]", value):
        raise values.wrong("WEBHOOK_SECRET", "one part of a URL: without / ? # % and spaces")
    return value


def _organizations(values: Section) -> Mapping[UUID, str]:
    value = values["ORGANIZATIONS"]
    wanted = "a dictionary from organization ids (UUIDs) to API keys (strings)"
    if not isinstance(value, Mapping):
        raise values.wrong("ORGANIZATIONS", wanted)
    try:
        keys = {UUID(str(organization)): key for organization, key in value.items()}
    except ValueError as error:
        raise values.wrong("ORGANIZATIONS", wanted) from error
    if not all(isinstance(key, str) and key for key in keys.values()):
        raise values.wrong("ORGANIZATIONS", wanted)
    return keys


def _locale(values: Section) -> str:
    value = values.text("LOCALE")
    if value not in {"", *LOCALES}:
        raise values.wrong("LOCALE", f"empty or one of {', '.join(LOCALES)}")
    return value
