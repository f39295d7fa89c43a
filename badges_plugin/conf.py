"""Read the settings, check them, and return them with their types.

Settings are read on request, never at import, so that plugin settings, the operator's YAML and ``override_settings``
all take effect. The operator's values are merged over the defaults, key by key. Names that several parts share, such
as the topic, are here as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from badges_plugin.setting_values import days_to_keep

SettingT = TypeVar("SettingT")

TOPIC = "learning-badges-lifecycle"
"""The topic (Kafka) or stream (Redis) of all badge events, without the prefix."""

CONSUMER_GROUP = "credentials-badges"
"""The group of the consumers of the Credentials service."""

BADGE_EVENT_TYPES = ("org.openedx.learning.badge.awarded.v1", "org.openedx.learning.badge.revoked.v1")
"""The types of the public events that this plugin sends."""

CHECK_TAG = "badges"
"""The tag of the Django system checks of this plugin and of backends; the doctor runs the checks with it."""

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
BUILTIN_APP = "credentials.apps.badges"
DEFAULT_FUTURE_TOLERANCE_SECONDS = 600
# The LMS's defaults of RETIRED_USERNAME_PREFIX and RETIRED_EMAIL_DOMAIN.
DEFAULT_RETIREMENT = {"username_prefix": "retired__user_", "email_domain": "retired.invalid"}
# The user names of active people begin with shorter ones.
MIN_PREFIX_LENGTH = 4
YEAR_SECONDS = 366 * 24 * 3600
RETENTION_DEFAULTS: dict[str, object] = {
    "decided_failed_events_days": 90,
    "undecided_failed_events_days": 365,
    "configuration_history_days": 0,
}


@dataclass(frozen=True)
class Retention:
    """Days for which failed events, with and without a decision by staff, and former rules are kept; None: forever."""

    decided_failed_events_days: int | None
    undecided_failed_events_days: int | None
    configuration_history_days: int | None


@dataclass(frozen=True)
class BadgesConfig:
    """The core's part of ``BADGES_CONFIG``."""

    events: tuple[str, ...]
    ignored_keypaths: tuple[str, ...]
    future_tolerance: timedelta
    retention: Retention
    retired_username_prefix: str
    retired_email_domain: str


def is_enabled() -> bool:
    """Whether badges are switched on.

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
    """Return ``BADGES_CONFIG[name]`` merged over ``defaults``, one level deep.

    .. setting_name: BADGES_CONFIG
    .. setting_default: {}
    .. setting_description: Dictionary of sections: ``events`` (list of event types), ``earner_ids``, ``rules``
        (``ignored_keypaths``), ``processing`` (``future_tolerance_seconds``), ``retention``, ``retirement``
        (``username_prefix``, ``email_domain``), ``images``, ``consumer``, ``distribution``, and one section for each
        distribution backend; ``builtin_app`` is "off" or "on". Keys that are left out have their defaults.

    Raises ImproperlyConfigured when the section is not a mapping.
    """
    given = _badges_config().get(name)
    if given is None:
        return dict(defaults)
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f'BADGES_CONFIG["{name}"] must be a dictionary, not {type(given).__name__}.')
    return {**defaults, **{key: value for key, value in given.items() if value is not None}}


def complete(sections: Mapping[str, object], host_settings: Any = settings) -> None:
    """Add the keys to ``BADGES_CONFIG`` that the host's built-in badges app needs and the operator left out.

    The host sets a whole dictionary, which a ``BADGES_CONFIG`` in the operator's YAML replaces; without ``events`` the
    models of the built-in app cannot even be imported. Settings hooks of plugins run before the YAML is read, so this
    is called when app configurations are created: after all settings, before any model. ``sections`` holds our own
    defaults, so nothing changes for us. In a host without that app nothing is done.
    """
    given = getattr(host_settings, "BADGES_CONFIG", None)
    given = {} if given is None else given
    if BUILTIN_APP not in host_settings.INSTALLED_APPS or not isinstance(given, Mapping):
        return
    completed = dict(given)
    for name, default in sections.items():
        value = given.get(name)
        if value is None:
            completed[name] = default
        elif isinstance(value, Mapping) and isinstance(default, Mapping):
            completed[name] = {**default, **{key: one for key, one in value.items() if one is not None}}
    host_settings.BADGES_CONFIG = completed


def keeps_builtin_app() -> bool:
    """Return whether the host's built-in badges app stays on alongside ours.

    .. setting_name: BADGES_CONFIG["builtin_app"]
    .. setting_default: "off"
    .. setting_description: "off" disconnects the receivers of ``credentials.apps.badges``, hides its admin and gives
        the URL of its webhook to ours, in every process and without storing anything. "on" leaves all of it.
        YAML reads a bare ``off`` or ``on`` as a boolean, which means the same.

    Raises ImproperlyConfigured when it is neither.
    """
    value = _or_default(_badges_config().get("builtin_app"), "off")
    for word, meaning in (("off", False), ("on", True)):
        if value == word or value is meaning:
            return meaning
    raise ImproperlyConfigured('BADGES_CONFIG["builtin_app"] must be "off" or "on".')


def known_section(name: str, defaults: Mapping[str, object], *, null: str = "default") -> dict[str, object]:
    """Return what ``section`` does. Raises ImproperlyConfigured for keys without a default, too: misspelled ones.

    With ``null="never"``, None means 0 for a key that ends with ``_days``: the operator wants nothing to be deleted.
    """
    values = section(name, defaults)
    if null == "never":
        given = _badges_config().get(name) or {}
        values |= {key: 0 for key, value in given.items() if value is None and str(key).endswith("_days")}  # type: ignore[attr-defined]
    unknown = sorted(values.keys() - defaults.keys())
    if unknown:
        raise ImproperlyConfigured(
            f'BADGES_CONFIG["{name}"] has unknown keys: {", ".join(unknown)}. Known: {", ".join(sorted(defaults))}.'
        )
    return values


def _kept(read: Callable[[], SettingT]) -> Callable[[], SettingT]:
    """Keep what was read until ``BADGES_CONFIG`` is another object, as ``override_settings`` makes it."""
    last: tuple[object, SettingT] | None = None

    @wraps(read)
    def kept() -> SettingT:
        nonlocal last
        given = getattr(settings, "BADGES_CONFIG", None)
        known = last
        if known is None or known[0] is not given:
            known = last = (given, read())
        return known[1]

    return kept


@_kept
def config() -> BadgesConfig:
    """Return the core's settings with their defaults.

    Raises ImproperlyConfigured, which says what to change, when a value has the wrong type or a key is unknown.
    """
    keeps_builtin_app()
    earner_ids()
    tolerance = known_section("processing", {"future_tolerance_seconds": DEFAULT_FUTURE_TOLERANCE_SECONDS})[
        "future_tolerance_seconds"
    ]
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance <= YEAR_SECONDS:
        raise ImproperlyConfigured(
            'BADGES_CONFIG["processing"]["future_tolerance_seconds"] must be a number of seconds, at most a year.'
        )
    prefix, domain = retirement()
    return BadgesConfig(
        events=_strings('BADGES_CONFIG["events"]', _or_default(_badges_config().get("events"), DEFAULT_EVENTS)),
        ignored_keypaths=_strings(
            'BADGES_CONFIG["rules"]["ignored_keypaths"]',
            known_section("rules", {"ignored_keypaths": DEFAULT_IGNORED_KEYPATHS})["ignored_keypaths"],
        ),
        future_tolerance=timedelta(seconds=tolerance),
        retention=_retention(),
        retired_username_prefix=prefix,
        retired_email_domain=domain,
    )


@_kept
def earner_ids() -> Mapping[str, str]:
    """Return where events of other packages have the LMS user id of their earner, by event type.

    .. setting_name: BADGES_CONFIG["earner_ids"]
    .. setting_default: {}
    .. setting_description: By event type, the key path of the earner's LMS user id, for events that carry no
        ``UserData``: ``{"org.example.survey.answered.v1": "lms_user_id"}``. The events of openedx-events are known.

    Raises ImproperlyConfigured when it is anything else.
    """
    given = _or_default(_badges_config().get("earner_ids"), {})
    if not isinstance(given, Mapping) or not all(
        isinstance(text, str) and text.strip() for pair in given.items() for text in pair
    ):
        raise ImproperlyConfigured('BADGES_CONFIG["earner_ids"] must map event types to key paths, both strings.')
    return given


def _retention() -> Retention:
    """Return how long failed events, which name learners, and the history of badges, which names staff, are kept.

    .. setting_name: BADGES_CONFIG["retention"]
    .. setting_default: {"decided_failed_events_days": 90, "undecided_failed_events_days": 365,
        "configuration_history_days": 0}
    .. setting_description: Days for which failed events are kept after their last change: those that were processed or
        dismissed, and those about which nobody has decided. 0: forever. The worker deletes older ones. Further
        attempts do not count as changes, and the age of an event from the future is counted from its own time.
        "configuration_history_days": for how many days it is kept who changed which rule of a badge.
    """
    values = known_section("retention", RETENTION_DEFAULTS, null="never")
    return Retention(**{name: days_to_keep("retention", name, value) for name, value in values.items()})


@_kept
def retirement() -> tuple[str, str]:
    """Return how the LMS marks retired users: the prefix of their user names and the domain of their e-mail addresses.

    Reads no other setting: an error elsewhere must not keep retired users from being recognized.
    Raises ImproperlyConfigured.
    """
    given = known_section("retirement", DEFAULT_RETIREMENT)
    prefix, domain = given["username_prefix"], given["email_domain"]
    if not isinstance(prefix, str) or len(prefix.strip()) < MIN_PREFIX_LENGTH:
        raise ImproperlyConfigured(
            'BADGES_CONFIG["retirement"]["username_prefix"] must be the LMS setting RETIRED_USERNAME_PREFIX, at least '
            f"{MIN_PREFIX_LENGTH} characters."
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
    """Return the default for None, which is what an empty key of a YAML file becomes."""
    return default if value is None else value


def _strings(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise ImproperlyConfigured(f"{name} must be a list of strings.")
    return tuple(dict.fromkeys(value))
