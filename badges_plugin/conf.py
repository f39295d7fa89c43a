"""
The typed view of the settings, and their only reader.

Settings are read when asked for, never at import, so that plugin settings, the operator's YAML and
``override_settings`` all have their say. Defaults are merged under what the operator gives, key by key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

DEFAULT_EVENTS = (
    "org.openedx.learning.course.passing.status.updated.v1",
    "org.openedx.learning.ccx.course.passing.status.updated.v1",
)
DEFAULT_IGNORED_KEYPATHS = (
    "user.id",
    "user.is_active",
    "user.pii.username",
    "user.pii.email",
    "user.pii.name",
)
DEFAULT_FUTURE_TOLERANCE_SECONDS = 600
# Those of the LMS: RETIRED_USERNAME_PREFIX, RETIRED_EMAIL_DOMAIN.
DEFAULT_RETIREMENT = {"username_prefix": "retired__user_", "email_domain": "retired.invalid"}
# A shorter one would be the beginning of living people's names.
SHORTEST_PREFIX = 4
YEAR_SECONDS = 366 * 24 * 3600
# Dates have a beginning: no age is greater than this.
MOST_DAYS = 100_000


@dataclass(frozen=True)
class BadgesConfig:
    """What the core reads of ``BADGES_CONFIG``."""

    events: tuple[str, ...]
    ignored_keypaths: tuple[str, ...]
    future_tolerance: timedelta
    retired_username_prefix: str
    retired_email_domain: str


def is_enabled() -> bool:
    """
    Whether badges are switched on.

    .. toggle_name: BADGES_ENABLED
    .. toggle_implementation: DjangoSetting
    .. toggle_default: False
    .. toggle_description: Connects the event receivers and shows the badges in the admin. While it is off the
        apps are installed and their tables exist, but nothing is connected, no URL is served and no admin is shown.
    .. toggle_use_cases: open_edx
    .. toggle_creation_date: 2026-11-22
    """
    return getattr(settings, "BADGES_ENABLED", False) is True


def section(name: str, defaults: Mapping[str, object]) -> dict[str, object]:
    """
    Return ``BADGES_CONFIG[name]`` merged over ``defaults``, one level deep.

    .. setting_name: BADGES_CONFIG
    .. setting_default: {}
    .. setting_description: Dictionary of sections: ``events`` (list of event types), ``rules``
        (``ignored_keypaths``), ``processing`` (``future_tolerance_seconds``), ``retirement`` (``username_prefix``,
        ``email_domain``), ``consumer``, ``distribution``, and one section for each distribution backend. What is left
        out has its default.

    Raises ImproperlyConfigured when the section is not a mapping.
    """
    given = _badges_config().get(name)
    if given is None:
        return dict(defaults)
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f'BADGES_CONFIG["{name}"] must be a dictionary, not {type(given).__name__}.')
    return {**defaults, **{key: value for key, value in given.items() if value is not None}}


def known_section(name: str, defaults: Mapping[str, object]) -> dict[str, object]:
    """Return what ``section`` does. Raises ImproperlyConfigured also for keys without a default: misspelt ones."""
    values = section(name, defaults)
    unknown = sorted(values.keys() - defaults.keys())
    if unknown:
        raise ImproperlyConfigured(
            f'BADGES_CONFIG["{name}"] has unknown keys: {", ".join(unknown)}. Known: {", ".join(sorted(defaults))}.'
        )
    return values


def config() -> BadgesConfig:
    """
    Return the core's settings with their defaults.

    Raises ImproperlyConfigured, with what to change, when a value has the wrong type or a key is unknown.
    """
    tolerance = known_section("processing", {"future_tolerance_seconds": DEFAULT_FUTURE_TOLERANCE_SECONDS})[
        "future_tolerance_seconds"
    ]
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance <= YEAR_SECONDS:
        raise ImproperlyConfigured(
            'BADGES_CONFIG["processing"]["future_tolerance_seconds"] must be a number of seconds, at most a year.'
        )
    prefix, domain = _retirement()
    return BadgesConfig(
        events=_strings('BADGES_CONFIG["events"]', _or_default(_badges_config().get("events"), DEFAULT_EVENTS)),
        ignored_keypaths=_strings(
            'BADGES_CONFIG["rules"]["ignored_keypaths"]',
            known_section("rules", {"ignored_keypaths": DEFAULT_IGNORED_KEYPATHS})["ignored_keypaths"],
        ),
        future_tolerance=timedelta(seconds=tolerance),
        retired_username_prefix=prefix,
        retired_email_domain=domain,
    )


def _retirement() -> tuple[str, str]:
    given = known_section("retirement", DEFAULT_RETIREMENT)
    prefix, domain = given["username_prefix"], given["email_domain"]
    if not isinstance(prefix, str) or len(prefix.strip()) < SHORTEST_PREFIX:
        raise ImproperlyConfigured(
            'BADGES_CONFIG["retirement"]["username_prefix"] must be the LMS setting RETIRED_USERNAME_PREFIX, at least '
            f"{SHORTEST_PREFIX} characters."
        )
    if not isinstance(domain, str) or "." not in domain.strip(".") or "@" in domain:
        raise ImproperlyConfigured(
            'BADGES_CONFIG["retirement"]["email_domain"] must be the LMS setting RETIRED_EMAIL_DOMAIN, a domain.'
        )
    return prefix.strip(), domain.strip().strip(".")


def _badges_config() -> Mapping[str, object]:
    given = getattr(settings, "BADGES_CONFIG", None) or {}
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f"BADGES_CONFIG must be a dictionary, not {type(given).__name__}.")
    return given


def _or_default(value: object, default: object) -> object:
    """An empty key of a YAML file is None, and means that nothing was said."""
    return default if value is None else value


def _strings(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise ImproperlyConfigured(f"{name} must be a list of strings.")
    return tuple(dict.fromkeys(value))
