"""Read a section of BADGES_CONFIG: values are checked, and mistakes are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from badges_plugin import setting_values
from badges_plugin.conf import known_section


class Section:
    """The section over its defaults. Every method raises ImproperlyConfigured, naming the key, for an unusable value.

    ``defaults`` has all known keys.
    """

    def __init__(self, name: str, defaults: Mapping[str, object]) -> None:
        self._name = name
        self._values = known_section(name, defaults)

    def __getitem__(self, name: str) -> object:
        return self._values[name]

    def wrong(self, name: str, wanted: str) -> ImproperlyConfigured:
        return ImproperlyConfigured(f'BADGES_CONFIG["{self._name}"]["{name}"] must be {wanted}.')

    def text(self, name: str) -> str:
        value = self._values[name]
        if not isinstance(value, str):
            raise self.wrong(name, "a string")
        return value

    def flag(self, name: str) -> bool:
        return setting_values.flag(self._name, name, self._values[name])

    def url(self, name: str) -> str:
        """Return a URL that ends with a slash."""
        value = self._values[name]
        try:
            parts = urlsplit(value if isinstance(value, str) else "")
            # A user name would replace the API key: both are sent in the same header.
            usable = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
            usable = usable and not parts.query and not parts.fragment
        except ValueError:
            usable = False
        if not usable:
            raise self.wrong(name, "a URL that starts with https:// and has neither @ nor ? nor #")
        return str(value).rstrip("/") + "/"

    def whole_number(self, name: str, least: int, most: int) -> int:
        return setting_values.whole_number(self._name, name, self._values[name], least=least, most=most)

    def pace(self, name: str, *, unlimited: int | None) -> float | None:
        """Return a number of requests above 0; None where the value is ``unlimited``: None or 0."""
        value = self._values[name]
        if value == unlimited and not isinstance(value, bool):
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise self.wrong(name, "a number above 0, or None" if unlimited is None else "a number, 0 for no limit")
        return float(value)


def errors_in(read: Callable[[], object], *, check_id: str) -> list[CheckMessage]:
    """Return the message of a Django check if ``read`` raises ImproperlyConfigured; an empty list if it does not."""
    try:
        read()
    except ImproperlyConfigured as error:
        return [Error(str(error), hint="Correct the setting, or remove the key to use its default.", id=check_id)]
    return []
