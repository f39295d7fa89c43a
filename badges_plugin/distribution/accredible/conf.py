"""The typed view of BADGES_CONFIG["accredible"]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from badges_plugin.conf import section

_DEFAULTS: dict[str, object] = {
    "ACCREDIBLE_BASE_URL": "https://dashboard.accredible.com/",
    "ACCREDIBLE_API_BASE_URL": "https://api.accredible.com/v1/",
    "ACCREDIBLE_EU_API_BASE_URL": "https://eu.api.accredible.com/v1/",
    "ACCREDIBLE_SANDBOX_BASE_URL": "https://sandbox.dashboard.accredible.com/",
    "ACCREDIBLE_SANDBOX_API_BASE_URL": "https://sandbox.api.accredible.com/v1/",
    "USE_EU": False,
    "USE_SANDBOX": False,
    "API_KEYS": {},
    "REQUESTS_PER_MINUTE": 360,
}

_VERSIONS = ("v1", "v2")


@dataclass(frozen=True, slots=True)
class AccredibleConfig:
    """Where Accredible is and how it is asked.

    `api_root` is the address without the version, since both versions are needed. `api_keys` are by the name of the
    API configuration; they win over those in the database.
    """

    api_root: str
    api_keys: Mapping[str, str]
    requests_per_minute: float | None


def config() -> AccredibleConfig:
    """The settings of Accredible, with their defaults.

    .. setting_name: BADGES_CONFIG["accredible"]
    .. setting_default: the addresses of Accredible, production
    .. setting_description: `USE_SANDBOX` and `USE_EU` choose among `ACCREDIBLE_API_BASE_URL` and its `SANDBOX` and
        `EU` twins; the two other addresses are those of the web site, and nothing is sent there. `API_KEYS` maps names
        of API configurations to keys that are not to be kept in the database. `REQUESTS_PER_MINUTE` slows each worker
        down to that; Accredible counts by network address.

    Raises ImproperlyConfigured, naming the key, when a value cannot be used.
    """
    values = section("accredible", _DEFAULTS)
    unknown = sorted(values.keys() - _DEFAULTS.keys())
    if unknown:
        raise ImproperlyConfigured(
            f'BADGES_CONFIG["accredible"] has unknown keys: {", ".join(unknown)}. '
            f"Known: {', '.join(sorted(_DEFAULTS))}."
        )
    addresses = {name: _address(values, name) for name in _DEFAULTS if name.endswith("_URL")}
    return AccredibleConfig(
        api_root=_without_version(addresses[_chosen(values)]),
        api_keys=_api_keys(values["API_KEYS"]),
        requests_per_minute=_pace(values["REQUESTS_PER_MINUTE"]),
    )


def _wrong(name: str, wanted: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f'BADGES_CONFIG["accredible"]["{name}"] must be {wanted}.')


def _chosen(values: Mapping[str, Any]) -> str:
    for name in ("USE_EU", "USE_SANDBOX"):
        if not isinstance(values[name], bool):
            raise _wrong(name, "True or False")
    if values["USE_EU"] and values["USE_SANDBOX"]:
        raise _wrong("USE_EU", "False while USE_SANDBOX is True: there is one sandbox for all")
    if values["USE_EU"]:
        return "ACCREDIBLE_EU_API_BASE_URL"
    return "ACCREDIBLE_SANDBOX_API_BASE_URL" if values["USE_SANDBOX"] else "ACCREDIBLE_API_BASE_URL"


def _address(values: Mapping[str, Any], name: str) -> str:
    value = values[name]
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query and not parts.fragment
    except ValueError:
        usable = False
    if not usable:
        raise _wrong(name, "an address that starts with https:// and has neither ? nor #")
    return str(value).rstrip("/") + "/"


def _without_version(address: str) -> str:
    root, _, last = address.rstrip("/").rpartition("/")
    return f"{root}/" if last in _VERSIONS else address


def _api_keys(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(
        isinstance(name, str) and name and isinstance(key, str) and key for name, key in value.items()
    ):
        raise _wrong("API_KEYS", "a dictionary from names of API configurations to API keys, all of them strings")
    return dict(value)


def _pace(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise _wrong("REQUESTS_PER_MINUTE", "a number, 0 for no limit")
    return float(value) or None
