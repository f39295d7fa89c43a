"""Links between admin pages, respecting permissions."""

from __future__ import annotations

from urllib.parse import urlencode

from django.apps import apps
from django.contrib.admin import AdminSite
from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse
from django.utils.html import format_html

from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.reading.people import name_of

_VIEWER = "shown_to"


def page_url(site: AdminSite, model: type[models.Model], page: str, *arguments: object, **query: object) -> str:
    """Return the URL of a page ("changelist", "add", "change", "delete") of a registered model."""
    kind = ContentType.objects.get_for_model(model)
    url = reverse(f"{site.name}:{kind.app_label}_{kind.model}_{page}", args=arguments)
    return f"{url}?{urlencode(query)}" if query else url


def may(request: HttpRequest, action: str, model: type[models.Model]) -> bool:
    """Whether the person holds the model's permission for "add", "change", "delete" or "view"."""
    kind = ContentType.objects.get_for_model(model)
    actions = ("view", "change") if action == "view" else (action,)
    return any(request.user.has_perm(f"{kind.app_label}.{each}_{kind.model}") for each in actions)


def link_to(site: AdminSite, model: type[models.Model], pk: object, text: object) -> str:
    """Return a link to an object's page, or the text alone where there is none."""
    if not site.is_registered(model):
        return str(text)
    return format_html('<a href="{}">{}</a>', page_url(site, model, "change", pk), text)


def shown_to(row: models.Model, request: HttpRequest) -> None:
    """Note who looks at a row: Django does not tell it to what makes a cell."""
    vars(row)[_VIEWER] = request.user


def desk_page(row: models.Model, name: str, pk: object) -> str:
    """Return the address of a page of the desk by the name of its URL ("desk_learner").

    Empty where the desk is not installed or switched off, or where whoever looks at ``row`` may not open the page.
    """
    return desk_page_for(vars(row).get(_VIEWER), name, pk)


def desk_page_for(viewer: User | AnonymousUser | None, name: str, *arguments: object) -> str:
    """Return the address of a page of the desk as ``desk_page`` does, for a person."""
    try:
        address = reverse(f"badges_web:{name}", args=arguments)
        page = resolve("/" + address.removeprefix(get_script_prefix()))
    except (NoReverseMatch, Resolver404):
        return ""
    return address if viewer is not None and viewer.has_perms(getattr(page.func, "permissions", ())) else ""


def learner(site: AdminSite, row: models.Model, user: User) -> str:
    """Return a link to a learner's page on the desk or, where whoever looks at ``row`` has none, to the account.

    The text includes the full name, by which pages are searched.
    """
    username, name = user.get_username(), name_of(user, otherwise="")
    text = f"{username} ({name})" if name not in ("", username) else username
    if address := desk_page(row, "desk_learner", user.pk):
        return format_html('<a href="{}">{}</a>', address, text)
    return link_to(site, User, user.pk, text)


def template_model(site: AdminSite, template: BadgeTemplate) -> type[BadgeTemplate]:
    """Return the model whose admin edits a badge template: the backend's that brought it, else the core's.

    One query for each backend. The rows of all of them have the same primary key.
    """
    for model in apps.get_models():
        if model is BadgeTemplate or not issubclass(model, BadgeTemplate) or not site.is_registered(model):
            continue
        if model.objects.filter(pk=template.pk).exists():
            return model
    return BadgeTemplate


def story(award: BadgeAward, text: object) -> str:
    """Return a link to the story of an award on the desk; empty where whoever looks at the award has none."""
    address = desk_page(award, "desk_award", award.pk)
    return format_html('<a href="{}">{}</a>', address, text) if address else ""
