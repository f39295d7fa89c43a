"""The name of who gives a badge, as link previews show it."""

from __future__ import annotations

from badges_plugin.distribution.open_badges.api import issuer_of
from badges_plugin.models import BadgeTemplate


def issuer_name(template: BadgeTemplate) -> str:
    """Return the name of the issuer of the template's site. Two queries."""
    return issuer_of(template.site).name
