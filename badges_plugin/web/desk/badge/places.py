"""Addresses of other pages about a badge, for those who may go there."""

from __future__ import annotations

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from badges_plugin.admin import links as admin_links
from badges_plugin.models import BadgeTemplate
from badges_plugin.web.desk import links
from badges_plugin.web.desk.reached import desk_url


def trail_to(template: BadgeTemplate | None = None) -> list[tuple[str, str]]:
    """Return the pages above one about a badge; without a badge, those above the badge's own page."""
    trail = [(reverse("admin:badges_plugin_badgetemplate_changelist"), _("Badges"))]
    return trail if template is None else [*trail, (links.badge_url(template.pk), template.name)]


def give_url(request: HttpRequest, template: BadgeTemplate) -> str:
    """Return the page on which staff give the badge by hand; empty for those who may not."""
    return desk_url(request, "desk_give", badge=template.pk)


def list_url(request: HttpRequest, model: type[models.Model], **query: object) -> str:
    """Return the admin's list of a model, for those who may see it."""
    if not admin_links.may(request, "view", model) or not admin.site.is_registered(model):
        return ""
    return admin_links.page_url(admin.site, model, "changelist", **query)
