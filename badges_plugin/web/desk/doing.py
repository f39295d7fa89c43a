"""Buttons that stand beside what they answer: they lead to the admin's pages that ask, and those lead back."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from badges_plugin.admin import links
from badges_plugin.admin.asking import KEY, NEXT, AskingAdmin, question_url
from badges_plugin.distribution import telling
from badges_plugin.models import BadgeAward, BadgeProgress
from badges_plugin.models.awards import RETURNABLE
from badges_plugin.reading import Award, AwardState
from badges_plugin.web.desk import reached

_DELIVERY = "admin:badges_distribution_delivery_"


@dataclass(frozen=True)
class Button:
    """``key`` is empty for a page that asks; otherwise it is what the button acts on at once."""

    label: str
    url: str
    style: str = "desk-plain"
    key: object = ""


def award_buttons(request: HttpRequest, award: Award, *, is_erased: bool) -> tuple[Button, ...]:
    """Return what can be done about the latest award of a badge. No query."""
    if not _may_change(request, BadgeAward):
        return ()
    if award.state is AwardState.HELD:
        return (_asks(request, BadgeAward, "revoke", _("Revoke…"), award.id, "desk-plain"),)
    is_over = award.expires_at is not None and award.expires_at <= timezone.now()
    if is_erased or is_over or award.ending not in RETURNABLE:
        return ()
    return (_asks(request, BadgeAward, "give_back", _("Give back…"), award.id, ""),)


def offered_buttons(request: HttpRequest, award: BadgeAward) -> tuple[Button, ...]:
    """Return what providers offer to do about an award, such as to send a corrected name. One query for each offer."""
    page = admin.site._registry.get(BadgeAward)  # noqa: SLF001  Django 4.2 has no public way to ask
    if not isinstance(page, AskingAdmin) or not _may_change(request, BadgeAward):
        return ()
    back = urlencode({NEXT: request.get_full_path()})
    return tuple(Button(each.label, f"{each.url}&{back}") for each in page.offered_buttons(award) if each.asks)


def progress_buttons(request: HttpRequest, progress_id: int | None) -> tuple[Button, ...]:
    """Return what can be done about a badge that its learner does not have. No query."""
    if progress_id is None or not _may_change(request, BadgeProgress):
        return ()
    return (_asks(request, BadgeProgress, "start_again", _("Start again…"), progress_id, "desk-plain"),)


def delivery_buttons(request: HttpRequest, delivery: telling.DeliveryTold) -> tuple[Button, ...]:
    """Return what can be done about a delivery. Two queries for one that was given up."""
    if not telling.may_change(request.user):
        return ()
    found = []
    if delivery.is_open:
        found.append(_acts(request, "try_again", _("Try again now"), delivery.id))
        address = reached.page_url(f"{_DELIVERY}give_up")
        query = urlencode([(KEY, str(delivery.id)), (NEXT, request.get_full_path())])
        found.append(Button(_("Give up…"), f"{address}?{query}"))
    elif delivery.is_given_up and telling.can_be_taken_up(delivery.id):
        found.append(_acts(request, "take_up", _("Take it up again"), delivery.id))
    return tuple(found)


def _may_change(request: HttpRequest, model: type[Model]) -> bool:
    return admin.site.is_registered(model) and links.may(request, "change", model)


def _asks(request: HttpRequest, model: type[Model], name: str, label: str, key: object, style: str) -> Button:
    return Button(label, question_url(admin.site, model, name, key, next=request.get_full_path()), style)


def _acts(request: HttpRequest, name: str, label: str, key: int) -> Button:
    query = urlencode({NEXT: request.get_full_path()})
    return Button(
        label, f"{reached.page_url(_DELIVERY + name)}?{query}", "" if name == "try_again" else "desk-plain", key
    )
