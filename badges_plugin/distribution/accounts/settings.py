"""Reading a provider's section of BADGES_CONFIG: values that are checked, and mistakes that are named."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from badges_plugin.conf import known_section


class ProviderSettings:
    """The section over its defaults. Every method raises ImproperlyConfigured, naming the key, for what cannot be used.

    ``defaults`` has all keys that there are.
    """

    def __init__(self, section: str, defaults: Mapping[str, object]) -> None:
        self._section = section
        self._values = known_section(section, defaults)

    def __getitem__(self, name: str) -> object:
        return self._values[name]

    def wrong(self, name: str, wanted: str) -> ImproperlyConfigured:
        return ImproperlyConfigured(f'BADGES_CONFIG["{self._section}"]["{name}"] must be {wanted}.')

    def text(self, name: str) -> str:
        value = self._values[name]
        if not isinstance(value, str):
            raise self.wrong(name, "a string")
        return value

    def flag(self, name: str) -> bool:
        value = self._values[name]
        if not isinstance(value, bool):
            raise self.wrong(name, "True or False")
        return value

    def address(self, name: str) -> str:
        """An address of the web that ends with a slash."""
        value = self._values[name]
        try:
            parts = urlsplit(value if isinstance(value, str) else "")
            # A user would take the place of the API key: both are told in the same header.
            usable = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
            usable = usable and not parts.query and not parts.fragment
        except ValueError:
            usable = False
        if not usable:
            raise self.wrong(name, "an address that starts with https:// and has neither @ nor ? nor #")
        return str(value).rstrip("/") + "/"
