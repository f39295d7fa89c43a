"""The host's own page of user credentials, as far as our badges are on it.

Its form lets staff choose among the host's types of credentials by the *names* of models, and its only way to save a
badge of ours is to give it another type: the credential is then no longer the badge's, while the award, which is the
fact, stays. So a badge is shown there and changed where badges are: in *Badge awards*.
"""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from badges_plugin.admin import links
from badges_plugin.admin.base import ModelAdmin
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeAward, BadgeTemplate


class BadgesAreReadOnly(ModelAdmin[UserCredential]):
    """Mixed into the host's page of whatever release."""

    def has_change_permission(self, request: HttpRequest, obj: UserCredential | None = None) -> bool:
        return super().has_change_permission(request, obj) and _award_of(obj) is None

    def has_delete_permission(self, request: HttpRequest, obj: UserCredential | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _award_of(obj) is None

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField[Any] | None:
        """Do not offer our templates: a credential of theirs comes with an award, and with nothing else."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name == "credential_content_type":
            field.queryset = ContentType.objects.exclude(pk__in=_our_types())
        return field

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        award = _award_of(self.get_object(request, object_id))
        if award is not None and request.method == "GET":
            page = links.link_to(self.admin_site, BadgeAward, award.pk, _("Badge awards"))
            text = _("This credential is a badge. Revoke it in %s.")
            self.message_user(request, format_html(text.replace("%s", "{}"), page), messages.INFO)
        return super().change_view(request, object_id, form_url, extra_context)


def protect(site: admin.AdminSite) -> None:
    """Put the protection on the host's page, if the site has one. Doing so twice is doing so once."""
    page = site._registry.get(UserCredential)  # noqa: SLF001  Django 4.2 has no public way to ask
    if page is None or isinstance(page, BadgesAreReadOnly):
        return
    protected = type(f"Protected{type(page).__name__}", (BadgesAreReadOnly, type(page)), {})
    site.unregister(UserCredential)
    site.register(UserCredential, cast("type[ModelAdmin[UserCredential]]", protected))


def _award_of(credential: UserCredential | None) -> BadgeAward | None:
    if credential is None:
        return None
    return BadgeAward.objects.filter(credential=credential.pk).order_by("-number").first()


def _our_types() -> list[int]:
    ours = [model for model in apps.get_models() if issubclass(model, BadgeTemplate)]
    return [content_type.pk for content_type in ContentType.objects.get_for_models(*ours).values()]
