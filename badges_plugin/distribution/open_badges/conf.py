"""The typed view of BADGES_CONFIG["open_badges"]."""

from __future__ import annotations

from dataclasses import dataclass

from badges_plugin.sections import Section

SECTION = "open_badges"

BUILTIN_DEFAULTS: dict[str, object] = {}
"""The host's built-in badges app reads no key of this section."""

_DEFAULTS: dict[str, object] = {"enabled": True, "base_url": ""}


@dataclass(frozen=True, slots=True)
class OpenBadgesConfig:
    """The settings of badges that the site signs itself.

    ``base_url`` is that of new issuer profiles; empty: https and the domain of the site.
    """

    enabled: bool
    base_url: str


def config() -> OpenBadgesConfig:
    """Return the settings of the site's own Open Badges, with their defaults.

    .. setting_name: BADGES_CONFIG["open_badges"]
    .. setting_default: {"enabled": True, "base_url": ""}
    .. setting_description: ``enabled``: whether the site signs the badges that are its own, which have no provider.
        ``base_url``: the public URL of the Credentials service, which stands in everything that is signed; empty: https
        and the domain of the badge template's site. It is copied into the issuer's profile when that is created.

    Raises ImproperlyConfigured, naming the key, when a value cannot be used.
    """
    values = Section(SECTION, _DEFAULTS)
    return OpenBadgesConfig(
        enabled=values.flag("enabled"),
        base_url=values.url("base_url") if values.text("base_url") else "",
    )
