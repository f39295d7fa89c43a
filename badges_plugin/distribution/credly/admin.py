"""Credly in the admin: organizations, their badge templates, and badges as they are at Credly."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin import conf
from badges_plugin.admin.base import titled
from badges_plugin.distribution.accounts.admin import AccountAdmin, MirroredTemplateAdmin, ProviderBadgeAdmin
from badges_plugin.distribution.accounts.forms import AccountForm
from badges_plugin.distribution.accounts.sync import MAX_NAME_LENGTH
from badges_plugin.distribution.api import PermanentFailure
from badges_plugin.distribution.credly.client import make_client
from badges_plugin.distribution.credly.models import ORIGIN, CredlyBadge, CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.credly.sync import sync_organization


class CredlyOrganizationForm(AccountForm[CredlyOrganization]):
    """Saves only what Credly has confirmed, with the name that Credly tells."""

    provider: ClassVar[str] = "Credly"
    identity: ClassVar[str] = "uuid"

    class Meta:
        model = CredlyOrganization
        fields = ("uuid",)

    def confirm(self, account: CredlyOrganization, key: str) -> None:
        self.instance.name = make_client(account.uuid, key).organization().name[:MAX_NAME_LENGTH]

    def refused(self, failure: PermanentFailure) -> tuple[str | None, str]:
        if failure.status == 404:
            return "uuid", _("There is no such organization at Credly.")
        if failure.status == 403:
            return "uuid", _("The key is valid, but not for this organization.")
        return super().refused(failure)


class CredlyOrganizationAdmin(AccountAdmin[CredlyOrganization]):
    backend: ClassVar[str] = ORIGIN
    form = CredlyOrganizationForm
    fields = ("uuid", "api_key", "name", "key", "deliveries", "synced_at")
    readonly_fields = ("name", "key", "deliveries", "synced_at")
    list_display = ("name", "uuid", "key", "deliveries", "synced_at")
    search_fields = ("name", "uuid")
    actions = ("sync_organization_badge_templates",)

    @admin.action(description=gettext_lazy("Sync organization badge templates"), permissions=["change"])
    def sync_organization_badge_templates(self, request: HttpRequest, queryset: QuerySet[CredlyOrganization]) -> None:
        self.report_each(request, queryset, sync_organization)

    def get_readonly_fields(self, request: HttpRequest, obj: CredlyOrganization | None = None) -> tuple[str, ...]:
        """The ID of an organization does not change once it has templates."""
        return (*self.readonly_fields, "uuid") if obj and obj.badge_templates.exists() else self.readonly_fields


class CredlyBadgeTemplateAdmin(MirroredTemplateAdmin):
    """Templates come from Credly by synchronization or webhook."""

    list_display: tuple[str, ...] = (
        "badge",
        "standing",
        "organization",
        "state",
        "requirement_count",
        "penalty_count",
    )
    list_filter: ClassVar[tuple[Any, ...]] = (
        "organization",
        "state",
        ("is_active", titled(gettext_lazy("active"))),
        "site",
    )
    list_select_related: ClassVar[tuple[str, ...]] = ("site", "organization")
    from_credly = ("organization", "name", "description", "icon", "state")
    readonly_fields: ClassVar[tuple[str, ...]] = (*MirroredTemplateAdmin.readonly_fields, *from_credly)
    fieldsets: ClassVar[Any] = (
        (
            gettext_lazy("From Credly"),
            {"fields": ("organization", "name", "description", "icon", "image", "state", "shown_uuid")},
        ),
        (gettext_lazy("Awarding"), {"fields": ("is_active", "can_be_reawarded", "valid_days", "renewal_days", "site")}),
    )


class CredlyBadgeAdmin(ProviderBadgeAdmin[CredlyBadge]):
    """Badges as they are at Credly."""


if conf.is_enabled():
    admin.site.register(CredlyOrganization, CredlyOrganizationAdmin)
    admin.site.register(CredlyBadgeTemplate, CredlyBadgeTemplateAdmin)
    admin.site.register(CredlyBadge, CredlyBadgeAdmin)
