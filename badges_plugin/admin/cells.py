"""What the cells of lists say: a state as a shape and words, and names that lead to their pages."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from badges_plugin.admin import links
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.reading import BadgeState, Corrected, LearnerProgress
from badges_plugin.reading.corrections import AfterLoss, after_loss
from badges_plugin.reading.people import name_of

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


def progress(
    facts: LearnerProgress, corrected: Sequence[Corrected], *, can_be_reawarded: bool, is_erased: bool = False
) -> SafeString:
    """Return what a badge is to a learner: held, lost, or how far away. ``corrected``: of this progress. No query."""
    match facts.state:
        case BadgeState.HELD:
            return state(GOOD, _("has it"))
        case BadgeState.EXPIRED:
            return state(OVER, _("expired"))
        case BadgeState.REVOKED:
            after = after_loss(facts, corrected, can_be_reawarded=can_be_reawarded, is_erased=is_erased)
            return state(OVER, _after(after))
    if facts.is_complete:
        return state(CARE, _("everything done, no badge"))
    is_begun = any(each.done for group in facts.groups for each in group.requirements)
    return state(PART, _("on the way")) if is_begun else state(NOTHING, _("nothing yet"))


def _after(after: AfterLoss) -> str:
    match after:
        case AfterLoss.ERASED:
            return _("learner erased")
        case AfterLoss.UNDONE:
            return _("given by mistake and taken back")
        case AfterLoss.STAYS:
            return _("revoked, stays revoked")
    return _("revoked, can be earned again")


IS_GONE = "is_gone"
"""Set at a row of a list whose learner was retired, under any of their users."""


def learner(row: Model, user: User) -> SafeString:
    """Return the names of a learner, as a link to their page on the desk if whoever looks at the row may open it."""
    username = user.get_username()
    name = name_of(user, is_gone=bool(vars(row).get(IS_GONE)), otherwise=username)
    linked = _linked(links.desk_page(row, "desk_learner", user.pk), name)
    return linked if name == username else format_html('{} <bdi class="badges-username">{}</bdi>', linked, username)


def badge(row: Model, template: BadgeTemplate, *, otherwise: str = "") -> SafeString:
    """Return the name of a badge, as a link to its page on the desk, or otherwise to an address."""
    return _linked(links.desk_page(row, "desk_badge", template.pk) or otherwise, template.name)


def _linked(address: str, name: str) -> SafeString:
    if not address:
        return format_html("<bdi>{}</bdi>", name)
    return format_html('<a href="{}"><bdi>{}</bdi></a>', address, name)
