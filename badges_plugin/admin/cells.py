"""What the cells of lists say: a state as a shape and words, and names that lead to their pages."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from badges_plugin.host import User
from badges_plugin.models import BadgeTemplate

GOOD, CARE, BAD, PART, NOTHING, OVER = "good", "care", "bad", "part", "nothing", "over"
"""Shapes: done; under way; somebody must act; partly done; not begun; ended."""


def state(shape: str, words: object) -> SafeString:
    """Return a state. Never a color alone: the words say the same as the shape."""
    return format_html('<span class="badges-state badges-{}">{}</span>', shape, words)


def active(is_active: bool) -> SafeString:
    """Return whether a badge can be earned."""
    return state(GOOD, _("active")) if is_active else state(NOTHING, _("inactive"))


def learner(user: User) -> SafeString:
    """Return the name of a learner, as a link to their page on the desk."""
    return _linked("desk_learner", user.pk, user.get_username())


def badge(template: BadgeTemplate, *, otherwise: str = "") -> SafeString:
    """Return the name of a badge, as a link to its page on the desk, or to an address where there is no such page."""
    return _linked("desk_badge", template.pk, template.name, otherwise)


def _linked(page: str, pk: object, name: str, otherwise: str = "") -> SafeString:
    try:
        address = reverse(f"badges_web:{page}", args=(pk,))
    except NoReverseMatch:  # the pages of the desk are not installed, or switched off
        address = otherwise
    if not address:
        return format_html("<bdi>{}</bdi>", name)
    return format_html('<a href="{}"><bdi>{}</bdi></a>', address, name)
