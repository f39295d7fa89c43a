"""Find a learner or a badge by what staff know of them. One that is found alone is shown at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from badges_plugin.admin import links
from badges_plugin.admin.large import people
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate
from badges_plugin.retirement import retired_among
from badges_plugin.web.desk.reached import desk_url, row_url
from badges_plugin.web.desk.site import desk_page, page

MOST = 20
"""Badges, and learners, listed at most."""
LONGEST = 254
"""Letters of an e-mail address; nothing that is looked for is longer."""


@dataclass(frozen=True)
class Found:
    """Somebody or something that was found. ``url`` is empty where the person may not open its page."""

    name: str
    detail: str
    url: str


@desk_page()
def find(request: HttpRequest) -> HttpResponse:
    """Show what was found, or go to it if nothing else was."""
    term = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    badges = _badges(request, term) if term else []
    learners = _learners(request, term) if term else []
    found = [*badges, *learners]
    if len(found) == 1 and found[0].url:
        return HttpResponseRedirect(found[0].url)
    context = {
        "term": term,
        "badges": badges[:MOST],
        "learners": learners[:MOST],
        "is_cut": len(badges) > MOST or len(learners) > MOST,
    }
    return page(request, "find", title=_("Find a learner or a badge"), context=context)


def _badges(request: HttpRequest, term: str) -> list[Found]:
    """Return the badges whose name has the term in it, one more than are shown."""
    if not links.may(request, "view", BadgeTemplate):
        return []
    rows = BadgeTemplate.objects.filter(name__icontains=term).order_by("name", "pk")[: MOST + 1]
    return [Found(row.name, _("active") if row.is_active else _("inactive"), _badge_url(request, row)) for row in rows]


def _learners(request: HttpRequest, term: str) -> list[Found]:
    """Return the learners whose user name or full name begins with the term, or whose address it is."""
    if not any(links.may(request, "view", model) for model in (BadgeProgress, BadgeAward)):
        return []
    rows = User.objects.filter(pk__in=people(request, term)).order_by("username", "pk")[: MOST + 1]
    exact = [row for row in rows if row.get_username().lower() == term.lower()]
    shown = exact or list(rows)
    gone = retired_among(shown)
    return [
        Found(row.get_username(), "" if row.pk in gone else row.full_name or "", _learner_url(request, row))
        for row in shown
    ]


def _badge_url(request: HttpRequest, template: BadgeTemplate) -> str:
    """Return the page of a badge: the desk's, or else that of its model in the admin."""
    if address := desk_url(request, "desk_badge", template.pk):
        return address
    return row_url(request, links.template_model(admin.site, template), template.pk)


def _learner_url(request: HttpRequest, user: Any) -> str:
    """Return the page of a learner: the desk's, or else their progress in the admin, or else the host's page."""
    if address := desk_url(request, "desk_learner", user.pk):
        return address
    if admin.site.is_registered(BadgeProgress) and links.may(request, "view", BadgeProgress):
        return links.page_url(admin.site, BadgeProgress, "changelist", q=user.get_username())
    return row_url(request, User, user.pk)
