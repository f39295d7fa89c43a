"""Values of BADGES_CONFIG as what they must be. What cannot be used is ImproperlyConfigured, which names the key."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

MAX_DAYS = 100_000
"""Keeps ``now - days`` within datetime's range."""


def flag(section: str, name: str, value: object) -> bool:
    """Return a switch. Raises ImproperlyConfigured."""
    if not isinstance(value, bool):
        raise _wrong(section, name, value, "True or False")
    return value


def whole_number(section: str, name: str, value: object, *, least: int = 1, most: int) -> int:
    """Return a whole number within bounds. Raises ImproperlyConfigured."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _wrong(section, name, value, f"a whole number from {least} to {most}")
    return value


def days_to_keep(section: str, name: str, value: object) -> int | None:
    """Return the age in days after which something is deleted; None, never, for 0. Raises ImproperlyConfigured."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_DAYS:
        raise _wrong(section, name, value, f"a number from 0 to {MAX_DAYS}")
    if value == 0:
        return None
    # Half a day must not become 0: everything would be deleted.
    return max(1, int(value))


def _wrong(section: str, name: str, value: object, wanted: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f'BADGES_CONFIG["{section}"]["{name}"] must be {wanted}, not {value!r}.')
