"""The typed view of BADGES_CONFIG["rest_api"]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from badges_plugin.conf import known_section
from badges_plugin.setting_values import flag, whole_number

LONGEST_PAGE = 500
"""More rows than this are too much work for one request."""

_DEFAULTS: dict[str, object] = {
    "anonymous_catalog": True,
    "page_size": 25,
    "max_page_size": 100,
    "public_rate": "120/minute",
    "learner_rate": "240/minute",
    "staff_rate": "600/minute",
}
_RATE = re.compile(r"[1-9]\d*/(second|minute|hour|day)")


@dataclass(frozen=True, slots=True)
class ApiConfig:
    """The settings of the REST API.

    ``rates`` has requests per period by scope, such as "120/minute"; None is no limit.
    """

    anonymous_catalog: bool
    page_size: int
    max_page_size: int
    rates: Mapping[str, str | None]


def config() -> ApiConfig:
    """Return the settings of the REST API, with their defaults.

    .. setting_name: BADGES_CONFIG["rest_api"]
    .. setting_default: {}
    .. setting_description: ``anonymous_catalog`` (bool: whether the catalog answers without login), ``page_size``
        and ``max_page_size``, and how many requests are answered: ``public_rate`` for each address, ``learner_rate``
        and ``staff_rate`` for each user, such as "120/minute". An empty rate is no limit.

    Raises ImproperlyConfigured, naming the key, when a value cannot be used.
    """
    values = known_section("rest_api", _DEFAULTS)
    longest = whole_number("rest_api", "max_page_size", values["max_page_size"], most=LONGEST_PAGE)
    return ApiConfig(
        anonymous_catalog=flag("rest_api", "anonymous_catalog", values["anonymous_catalog"]),
        page_size=whole_number("rest_api", "page_size", values["page_size"], most=longest),
        max_page_size=longest,
        rates={scope: _rate(f"{scope}_rate", values[f"{scope}_rate"]) for scope in ("public", "learner", "staff")},
    )


def _rate(name: str, value: object) -> str | None:
    if value == "":
        return None
    if not isinstance(value, str) or not _RATE.fullmatch(value):
        raise ImproperlyConfigured(
            f'BADGES_CONFIG["rest_api"]["{name}"] must be like "120/minute" (second, minute, hour or day), or "" '
            f"for no limit, not {value!r}."
        )
    return value
