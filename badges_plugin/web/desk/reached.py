"""Addresses of pages that may not be there: of a part that is switched off, or that a person may not open."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from badges_plugin.admin import links
from badges_plugin.host import User
from badges_plugin.models import BadgeTemplate


def desk_url(request: HttpRequest, name: str, *arguments: object, **query: object) -> str:
    """Return the address of a page of the desk by the name of its URL; empty where it is not for the person."""
    address = page_url(f"badges_web:{name}", *arguments)
    if not address or not request.user.has_perms(_permissions(name)):
        return ""
    return f"{address}?{urlencode(query)}" if query else address


def _permissions(name: str) -> Collection[str]:
    """Return what ``desk_page`` asks of those who open a page."""
    pages = import_module("badges_plugin.web.desk.urls").urlpatterns  # which imports the views, and they this module
    found = [getattr(each.callback, "permissions", ()) for each in pages if each.name == name]
    return found[0] if found else ()


def page_url(name: str, *arguments: object) -> str:
    """Return the address of any page by the name of its URL; empty where there is none."""
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""


def row_url(request: HttpRequest, model: type[Model], pk: object) -> str:
    """Return the address of a row's page in the admin; empty where there is none, or the person may not open it."""
    if not admin.site.is_registered(model) or not links.may(request, "view", model):
        return ""
    return links.page_url(admin.site, model, "change", pk)


def badge_url(request: HttpRequest, template_id: int) -> str:
    """Return the address of a badge's page: that of the desk or, where it has none, of the admin."""
    return desk_url(request, "desk_badge", template_id) or row_url(request, BadgeTemplate, template_id)


def account_url(request: HttpRequest, user_id: int) -> str:
    """Return the address of the account of a user."""
    return row_url(request, User, user_id)
