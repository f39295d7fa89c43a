"""The typed view of BADGES_CONFIG["credly"]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured

from badges_plugin.conf import section

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

# https://www.credly.com/docs/issued_badges#issue-a-badge
LOCALES = ("en", "fr", "de", "ko", "ja", "zh-CN", "pt", "es-ES", "es-US", "fr-CA", "pt-BR")


@dataclass(frozen=True, slots=True)
class CredlyConfig:
    """Where Credly is and how it is asked.

    `organizations` has keys by organization; they win over those in the database.
    """

    base_url: str
    api_base_url: str
    organizations: Mapping[UUID, str]
    locale: str
    suppress_issue_email: bool
    suppress_revoke_email: bool
    requests_per_minute: float | None
    webhook_secret: str


def config() -> CredlyConfig:
    """The settings of Credly, with their defaults.

    .. setting_name: BADGES_CONFIG["credly"]
    .. setting_default: the addresses of Credly, production
    .. setting_description: `USE_SANDBOX` chooses between the addresses `CREDLY_BASE_URL`, `CREDLY_API_BASE_URL` and
    their
        `CREDLY_SANDBOX_...` twins. `ORGANIZATIONS` maps organization ids to API keys that are not to be kept in the
        database. `LOCALE` is the language of Credly's e-mails. `SUPPRESS_ISSUE_EMAIL` and `SUPPRESS_REVOKE_EMAIL`
        stop them. `REQUESTS_PER_MINUTE` slows each worker down to that. `WEBHOOK_SECRET` becomes a part of the
        webhook's address.

    Raises ImproperlyConfigured, naming the key, when a value cannot be used.
    """
    values = section("credly", _DEFAULTS)
    unknown = sorted(values.keys() - _DEFAULTS.keys())
    if unknown:
        raise ImproperlyConfigured(
            f'BADGES_CONFIG["credly"] has unknown keys: {", ".join(unknown)}. Known: {", ".join(sorted(_DEFAULTS))}.'
        )
    prefix = "CREDLY_SANDBOX_" if _flag(values, "USE_SANDBOX") else "CREDLY_"
    return CredlyConfig(
        base_url=_address(values, f"{prefix}BASE_URL"),
        api_base_url=_address(values, f"{prefix}API_BASE_URL"),
        organizations=_organizations(values["ORGANIZATIONS"]),
        locale=_locale(values["LOCALE"]),
        suppress_issue_email=_flag(values, "SUPPRESS_ISSUE_EMAIL"),
        suppress_revoke_email=_flag(values, "SUPPRESS_REVOKE_EMAIL"),
        requests_per_minute=_pace(values["REQUESTS_PER_MINUTE"]),
        webhook_secret=_secret(values),
    )


def _wrong(name: str, wanted: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f'BADGES_CONFIG["credly"]["{name}"] must be {wanted}.')


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values[name]
    if not isinstance(value, str):
        raise _wrong(name, "a string")
    return value


def _secret(values: Mapping[str, Any]) -> str:
    value = _text(values, "WEBHOOK_SECRET")
    if re.search(r"[/?#%\s]", value):
        raise _wrong("WEBHOOK_SECRET", "one part of an address: without / ? # % and spaces")
    return value


def _flag(values: Mapping[str, Any], name: str) -> bool:
    value = values[name]
    if not isinstance(value, bool):
        raise _wrong(name, "True or False")
    return value


def _address(values: Mapping[str, Any], name: str) -> str:
    value = _text(values, name)
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query and not parts.fragment
    except ValueError:
        usable = False
    if not usable:
        raise _wrong(name, "an address that starts with https:// and has neither ? nor #")
    return value.rstrip("/") + "/"


def _organizations(value: object) -> Mapping[UUID, str]:
    wanted = "a dictionary from organization ids (UUIDs) to API keys (strings)"
    if not isinstance(value, Mapping):
        raise _wrong("ORGANIZATIONS", wanted)
    try:
        keys = {UUID(str(organization)): key for organization, key in value.items()}
    except ValueError as error:
        raise _wrong("ORGANIZATIONS", wanted) from error
    if not all(isinstance(key, str) and key for key in keys.values()):
        raise _wrong("ORGANIZATIONS", wanted)
    return keys


def _locale(value: object) -> str:
    if value not in {"", *LOCALES}:
        raise _wrong("LOCALE", f"empty or one of {', '.join(LOCALES)}")
    return str(value)


def _pace(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise _wrong("REQUESTS_PER_MINUTE", "a number above 0, or None")
    return float(value)
