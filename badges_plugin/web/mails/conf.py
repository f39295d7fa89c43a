"""The typed view of BADGES_CONFIG["mails"]."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from badges_plugin.sections import Section
from badges_plugin.web.conf import usable_pages
from badges_plugin.web.notes import MailKind

_DEFAULTS: dict[str, object] = {
    "enabled": True,
    MailKind.AWARDED.value: True,
    MailKind.REVOKED.value: True,
    MailKind.EXPIRING.value: True,
    MailKind.PENDING.value: True,
    "expiring_days": 30,
    "pending_days": 7,
    "new_for_days": 3,
    "per_minute": 60,
}
_MAX_DAYS = 3650
_MAX_PER_MINUTE = 6000


@dataclass(frozen=True, slots=True)
class MailsConfig:
    """The settings of mails. ``kinds`` are those that are sent; empty where mails or pages are switched off."""

    kinds: frozenset[str]
    expiring_days: int
    pending_days: int
    new_for_days: int
    per_minute: int


def mails() -> MailsConfig:
    """Return the settings of the mails, with their defaults.

    .. setting_name: BADGES_CONFIG["mails"]
    .. setting_default: {}
    .. setting_description: ``enabled`` (True) and one switch for each kind of mail: ``awarded``, ``revoked``,
        ``expiring`` and ``pending`` (all True). ``expiring_days`` (30): so many days before a badge expires its
        learner is reminded. ``pending_days`` (7): after so many days a badge that still waits to be accepted at a
        provider is brought to mind, once. ``new_for_days`` (3): what is older, by the date of the badge or of its end,
        is not news and sends no mail. ``per_minute`` (60): mails that all workers send together.

    Raises ImproperlyConfigured, naming the key, when a value cannot be used.
    """
    values = Section("mails", _DEFAULTS)
    switches = {name: values.flag(name) for name in ("enabled", *MailKind.values)}
    is_on = switches["enabled"] and usable_pages().enabled
    return MailsConfig(
        kinds=frozenset(kind for kind in MailKind.values if is_on and switches[kind]),
        expiring_days=values.whole_number("expiring_days", 1, _MAX_DAYS),
        pending_days=values.whole_number("pending_days", 1, _MAX_DAYS),
        new_for_days=values.whole_number("new_for_days", 1, _MAX_DAYS),
        per_minute=values.whole_number("per_minute", 1, _MAX_PER_MINUTE),
    )


def kinds_sent() -> frozenset[str]:
    """Return the kinds of mails that are sent; none while the settings cannot be used (badges_web.E002 says so)."""
    try:
        return mails().kinds
    except ImproperlyConfigured:
        return frozenset()
