"""Organizations: key in, name filled in, templates synchronized, and whether deliveries flow."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.accounts.admin import AccountAdmin
from badges_plugin.distribution.credly.forms import CredlyOrganizationForm
from badges_plugin.distribution.credly.models import ORIGIN, CredlyOrganization
from badges_plugin.distribution.credly.organizations import ensure_configured
from badges_plugin.distribution.credly.sync import sync_organization


class CredlyOrganizationAdmin(AccountAdmin[CredlyOrganization]):
    backend: ClassVar[str] = ORIGIN
    form = CredlyOrganizationForm
    fields = ("uuid", "api_key", "name", "key", "deliveries", "synced_at")
    readonly_fields = ("name", "key", "deliveries", "synced_at")
    list_display = ("name", "uuid", "key", "deliveries", "synced_at")
    search_fields = ("name", "uuid")
    actions = ("sync_organization_badge_templates",)

    def account_of(self, account: CredlyOrganization) -> str:
        return str(account.uuid)

    @admin.action(description=_("Sync organization badge templates"), permissions=["change"])
    def sync_organization_badge_templates(self, request: HttpRequest, queryset: QuerySet[CredlyOrganization]) -> None:
        self.report_each(request, queryset, sync_organization)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CredlyOrganization]:
        """Organizations that only the settings know appear as well."""
        ensure_configured()
        return super().get_queryset(request)

    def get_readonly_fields(self, request: HttpRequest, obj: CredlyOrganization | None = None) -> tuple[str, ...]:
        """The id of an organization is its identity: it does not change once templates hang on it."""
        return (*self.readonly_fields, "uuid") if obj and obj.badge_templates.exists() else self.readonly_fields
