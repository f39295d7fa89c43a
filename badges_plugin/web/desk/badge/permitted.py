"""Who may set a badge up on the desk: those who may do the same on the pages for experts."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from badges_plugin.admin import links as admin_links
from badges_plugin.models import BadgeTemplate
from badges_plugin.web.desk.badge import saving

MAY_SWITCH = "badges_plugin.change_badgetemplate"
"""To activate and deactivate."""
RULES = tuple(
    f"badges_plugin.{action}_{model}"
    for model in ("badgerequirement", "requirementgroup", "badgepenalty")
    for action in ("add", "change", "delete")
)
"""To store what the form says: it makes, changes and deletes all of these."""
MAY_CHANGE = (MAY_SWITCH, *RULES)
MAY_ADD = ("badges_plugin.add_badgetemplate", *MAY_CHANGE)


def may_change(request: HttpRequest, template: BadgeTemplate) -> bool:
    """Whether this person may change the template in the admin of whoever it comes from. One query a backend."""
    return admin_links.may(request, "change", admin_links.template_model(admin.site, template))


def to_change(request: HttpRequest, template_id: int) -> BadgeTemplate:
    """Return a template with all that belongs to it. Raises Http404, and PermissionDenied for who may not change it."""
    template = saving.loaded(template_id)
    if template is None:
        raise Http404
    if not may_change(request, template):
        raise PermissionDenied
    return template
