"""The addresses of pages that the person who asks may open; empty where there is no such page, or not for them."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from badges_plugin.admin import links
from badges_plugin.host import User
from badges_plugin.models import BadgeProgress, BadgeTemplate


def desk_url(request: HttpRequest, name: str, *arguments: object) -> str:
    """Return the address of a page of the desk by the name of its URL ("desk_learners")."""
    try:
        address = reverse(f"badges_web:{name}", args=arguments)
    except NoReverseMatch:
        return ""
    return address if request.user.has_perms(_permissions(name)) else ""


def _permissions(name: str) -> Collection[str]:
    """Return what ``desk_page`` asks of those who open a page."""
    pages = import_module("badges_plugin.web.desk.urls").urlpatterns  # which imports the views, and they this module
    found = [getattr(each.callback, "permissions", ()) for each in pages if each.name == name]
    return found[0] if found else ()


def badge_url(request: HttpRequest, template: BadgeTemplate) -> str:
    """Return the page of a badge: the desk's, or else that of its model in the admin."""
    if address := desk_url(request, "desk_badge", template.pk):
        return address
    model = links.template_model(admin.site, template)
    if not admin.site.is_registered(model) or not links.may(request, "view", model):
        return ""
    return links.page_url(admin.site, model, "change", template.pk)


def learner_url(request: HttpRequest, user: Any) -> str:
    """Return the page of a learner: the desk's, or else their progress in the admin, or else the host's page."""
    if address := desk_url(request, "desk_learner", user.pk):
        return address
    if admin.site.is_registered(BadgeProgress) and links.may(request, "view", BadgeProgress):
        return links.page_url(admin.site, BadgeProgress, "changelist", q=user.get_username())
    if admin.site.is_registered(User) and links.may(request, "view", User):
        return links.page_url(admin.site, User, "change", user.pk)
    return ""
