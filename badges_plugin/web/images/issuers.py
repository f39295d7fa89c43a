"""The name of who gives a badge, as link previews show it."""

from __future__ import annotations

from badges_plugin.models import BadgeTemplate


def issuer_name(template: BadgeTemplate) -> str:
    """Return the name of the template's site."""
    return template.site.name
