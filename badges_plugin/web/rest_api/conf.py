"""The typed view of BADGES_CONFIG["rest_api"]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from badges_plugin.sections import Section

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
    values = Section("rest_api", _DEFAULTS)
    longest = values.whole_number("max_page_size", 1, LONGEST_PAGE)
    return ApiConfig(
        anonymous_catalog=values.flag("anonymous_catalog"),
        page_size=values.whole_number("page_size", 1, longest),
        max_page_size=longest,
        rates={scope: _rate(values, f"{scope}_rate") for scope in ("public", "learner", "staff")},
    )


def _rate(values: Section, name: str) -> str | None:
    value = values[name]
    if value == "":
        return None
    if not isinstance(value, str) or not _RATE.fullmatch(value):
        wanted = f'like "120/minute" (second, minute, hour or day), or "" for no limit, not {value!r}'
        raise values.wrong(name, wanted)
    return value
