"""What the cells of lists say: a state as a shape and words, and names that lead to their pages."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.reading import BadgeState, LearnerProgress

GOOD, CARE, BAD, PART, NOTHING, OVER = "good", "care", "bad", "part", "nothing", "over"
"""Shapes: done; under way; somebody must act; partly done; not begun; ended."""


def state(shape: str, words: object) -> SafeString:
    """Return a state. Never a color alone: the words say the same as the shape."""
    return format_html('<span class="badges-state badges-{}">{}</span>', shape, words)


def active(is_active: bool) -> SafeString:
    """Return whether a badge can be earned."""
    return state(GOOD, _("active")) if is_active else state(NOTHING, _("inactive"))


def award(given: BadgeAward) -> SafeString:
    """Return whether a badge is held, or how it ended."""
    if given.revoked_at is None:
        return state(GOOD, _("has it"))
    return state(OVER, given.get_ended_by_display() or _("ended"))


def progress(facts: LearnerProgress) -> SafeString:
    """Return what a badge is to a learner: held, lost, or how far away."""
    match facts.state:
        case BadgeState.HELD:
            return state(GOOD, _("has it"))
        case BadgeState.EXPIRED:
            return state(OVER, _("expired"))
        case BadgeState.REVOKED if facts.awards[-1].is_decided:
            return state(OVER, _("revoked, stays revoked"))
        case BadgeState.REVOKED:
            return state(OVER, _("revoked, can be earned again"))
    if facts.is_complete:
        return state(CARE, _("everything done, no badge"))
    is_begun = any(each.done for group in facts.groups for each in group.requirements)
    return state(PART, _("on the way")) if is_begun else state(NOTHING, _("nothing yet"))


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
