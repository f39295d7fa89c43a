"""The typed view of BADGES_CONFIG["pages"]."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import URLValidator, validate_email

from badges_plugin.sections import Section

# As django-ratelimit reads them: https://django-ratelimit.readthedocs.io/en/stable/rates.html
_RATE = re.compile(r"[1-9]\d{0,6}/[1-9]?\d{0,3}[smhd]")


@dataclass(frozen=True, slots=True)
class PagesConfig:
    """The settings of the pages. Empty texts: the page says nothing about it, or what the site's configuration says.

    The rates are for one address, by the minute or as ``django-ratelimit`` writes them; None is no limit.
    """

    enabled: bool = True
    support_email: str = ""
    help_url: str = ""
    privacy_url: str = ""
    verify_rate: str | None = "30/m"
    public_rate: str | None = "300/m"


_DEFAULTS = {field.name: field.default for field in fields(PagesConfig)}


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
    values = Section("pages", _DEFAULTS)
    return PagesConfig(
        enabled=values.flag("enabled"),
        support_email=_email(values, "support_email"),
        help_url=_url(values, "help_url"),
        privacy_url=_url(values, "privacy_url"),
        verify_rate=_rate(values, "verify_rate"),
        public_rate=_rate(values, "public_rate"),
    )


def usable_pages() -> PagesConfig:
    """Return the settings, and the defaults where they cannot be used: a mistake takes no page down.

    The check badges_web.E001 tells the operator.
    """
    try:
        return pages()
    except ImproperlyConfigured:
        return PagesConfig()


def _email(values: Section, name: str) -> str:
    value = values[name]
    if value == "":
        return ""
    try:
        validate_email(str(value))
    except ValidationError as error:
        raise values.wrong(name, "an e-mail address, or empty") from error
    return str(value)


def _url(values: Section, name: str) -> str:
    value = values[name]
    if value == "":
        return ""
    try:
        URLValidator(schemes=["http", "https"])(str(value))
    except ValidationError as error:
        raise values.wrong(name, "a URL that starts with https://, or empty") from error
    return str(value)


def _rate(values: Section, name: str) -> str | None:
    value = values[name]
    if value == "":
        return None
    if not isinstance(value, str) or not _RATE.fullmatch(value):
        raise values.wrong(name, 'a rate such as "30/m" (s, m, h or d), or empty for no limit')
    return value
