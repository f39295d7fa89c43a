"""The typed view of BADGES_CONFIG["accredible"]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from badges_plugin.sections import Section

LARGEST_BULK = 30
"""Credentials that the second version of ``bulk_create`` takes in one request."""

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
    "BULK_SIZE": 30,
}

BUILTIN_DEFAULTS = {
    name: value
    for name, value in _DEFAULTS.items()
    if (name.endswith("BASE_URL") and "_EU_" not in name) or name == "USE_SANDBOX"
}
"""The keys of this section that the host's built-in badges app reads and has no defaults for."""

_VERSIONS = ("v1", "v2")


@dataclass(frozen=True, slots=True)
class AccredibleConfig:
    """The settings of Accredible.

    ``api_root`` is the URL without the version, since both versions are needed. ``api_keys`` are by the name of the API
    configuration; they win over those in the database.
    """

    api_root: str
    api_keys: Mapping[str, str] = field(repr=False)
    requests_per_minute: float | None
    bulk_size: int

    def key_of(self, name: str) -> str:
        """Return the key for the API configuration of this name, or "" where there is none."""
        return next((key for known, key in self.api_keys.items() if spelled(known) == spelled(name)), "")


def spelled(name: str) -> str:
    """Return a name of an API configuration as names are compared.

    MySQL takes names that differ only in case, or in blanks at the end, for the same one, and keeps one of them.
    """
    return name.rstrip().casefold()


def config() -> AccredibleConfig:
    """Return the settings of Accredible, with their defaults.

    .. setting_name: BADGES_CONFIG["accredible"]
    .. setting_default: the URLs of Accredible, production
    .. setting_description: ``USE_SANDBOX`` and ``USE_EU`` choose among ``ACCREDIBLE_API_BASE_URL`` and its ``SANDBOX``
        and ``EU`` twins; the two other URLs are those of the web site, and nothing is sent there. ``API_KEYS``
        maps names of API configurations to keys that are not to be kept in the database. ``REQUESTS_PER_MINUTE`` slows
        all workers together down to that; Accredible counts by network address. ``BULK_SIZE`` is the largest number of
        credentials in one request, used while many are waiting; with 1 each is issued by itself.

    Raises ImproperlyConfigured, naming the key, when a value cannot be used.
    """
    values = Section("accredible", _DEFAULTS)
    urls = {name: values.url(name) for name in _DEFAULTS if name.endswith("_URL")}
    return AccredibleConfig(
        api_root=_without_version(urls[_chosen(values)]),
        api_keys=_api_keys(values),
        requests_per_minute=values.pace("REQUESTS_PER_MINUTE", unlimited=0),
        bulk_size=values.whole_number("BULK_SIZE", 1, LARGEST_BULK),
    )


def _chosen(values: Section) -> str:
    use_eu, use_sandbox = values.flag("USE_EU"), values.flag("USE_SANDBOX")
    if use_eu and use_sandbox:
        raise values.wrong("USE_EU", "False while USE_SANDBOX is True: there is one sandbox for all")
    if use_eu:
        return "ACCREDIBLE_EU_API_BASE_URL"
    return "ACCREDIBLE_SANDBOX_API_BASE_URL" if use_sandbox else "ACCREDIBLE_API_BASE_URL"


def _without_version(url: str) -> str:
    root, _, last = url.rstrip("/").rpartition("/")
    return f"{root}/" if last in _VERSIONS else url


def _api_keys(values: Section) -> Mapping[str, str]:
    value = values["API_KEYS"]
    if not isinstance(value, Mapping) or not all(
        isinstance(name, str) and name and isinstance(key, str) and key for name, key in value.items()
    ):
        raise values.wrong("API_KEYS", "a dictionary from names of API configurations to API keys, all of them strings")
    if len({spelled(name) for name in value}) < len(value):
        raise values.wrong("API_KEYS", "a dictionary whose names differ in more than upper and lower case")
    return dict(value)
