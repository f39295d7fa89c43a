"""The typed view of BADGES_CONFIG["pages"]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import URLValidator, validate_email

from badges_plugin.conf import known_section
from badges_plugin.setting_values import flag

_DEFAULTS: dict[str, object] = {
    "enabled": True,
    "support_email": "",
    "help_url": "",
    "privacy_url": "",
    "verify_rate": "30/m",
    "public_rate": "300/m",
}
# As django-ratelimit reads them: https://django-ratelimit.readthedocs.io/en/stable/rates.html
_RATE = re.compile(r"[1-9]\d{0,6}/[1-9]?\d{0,3}[smhd]")


@dataclass(frozen=True, slots=True)
class PagesConfig:
    """The settings of the pages. Empty texts: the page says nothing about it, or what the site's configuration says.

    The rates are for one address, by the minute or as ``django-ratelimit`` writes them; None is no limit.
    """

    enabled: bool
    support_email: str
    help_url: str
    privacy_url: str
    verify_rate: str | None
    public_rate: str | None


def pages() -> PagesConfig:
    """Return the settings of the pages, with their defaults.

    .. setting_name: BADGES_CONFIG["pages"]
    .. setting_default: {}
    .. setting_description: ``enabled`` (True) serves the pages for learners and everybody. ``support_email`` is where
        learners write when a badge is missing or was revoked; ``help_url`` and ``privacy_url`` are linked at the foot
        of every page. ``verify_rate`` ("30/m") and ``public_rate`` ("300/m") limit how often one address may verify
        badges and open public pages; "" is no limit.

    Raises ImproperlyConfigured, naming the key, when a value cannot be used.
    """
    return _read(known_section("pages", _DEFAULTS))


def usable_pages() -> PagesConfig:
    """Return the settings, and the defaults where they cannot be used: a mistake takes no page down.

    The check badges_web.E001 tells the operator.
    """
    try:
        return pages()
    except ImproperlyConfigured:
        return _read(_DEFAULTS)


def _read(values: Mapping[str, object]) -> PagesConfig:
    return PagesConfig(
        enabled=flag("pages", "enabled", values["enabled"]),
        support_email=_email("support_email", values["support_email"]),
        help_url=_url("help_url", values["help_url"]),
        privacy_url=_url("privacy_url", values["privacy_url"]),
        verify_rate=_rate("verify_rate", values["verify_rate"]),
        public_rate=_rate("public_rate", values["public_rate"]),
    )


def _wrong(name: str, wanted: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f'BADGES_CONFIG["pages"]["{name}"] must be {wanted}.')


def _email(name: str, value: object) -> str:
    if value == "":
        return ""
    try:
        validate_email(str(value))
    except ValidationError as error:
        raise _wrong(name, "an e-mail address, or empty") from error
    return str(value)


def _url(name: str, value: object) -> str:
    if value == "":
        return ""
    try:
        URLValidator(schemes=["http", "https"])(str(value))
    except ValidationError as error:
        raise _wrong(name, "a URL that starts with https://, or empty") from error
    return str(value)


def _rate(name: str, value: object) -> str | None:
    if value == "":
        return None
    if not isinstance(value, str) or not _RATE.fullmatch(value):
        raise _wrong(name, 'a rate such as "30/m" (s, m, h or d), or empty for no limit')
    return value
