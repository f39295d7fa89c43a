"""API configurations: key in, groups synchronized, and whether deliveries flow."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.accounts.admin import AccountAdmin
from badges_plugin.distribution.accredible.configurations import ensure_configured
from badges_plugin.distribution.accredible.forms import AccredibleApiConfigForm
from badges_plugin.distribution.accredible.models import ORIGIN, AccredibleApiConfig
from badges_plugin.distribution.accredible.sync import sync_groups


class AccredibleApiConfigAdmin(AccountAdmin[AccredibleApiConfig]):
    backend: ClassVar[str] = ORIGIN
    form = AccredibleApiConfigForm
    fields = ("name", "api_key", "key", "deliveries", "synced_at")
    readonly_fields = ("key", "deliveries", "synced_at")
    list_display = ("name", "key", "deliveries", "synced_at")
    search_fields = ("name",)
    actions = ("sync_accredible_groups",)

    def account_of(self, account: AccredibleApiConfig) -> str:
        return str(account.pk)

    @admin.action(description=_("Sync groups"), permissions=["change"])
    def sync_accredible_groups(self, request: HttpRequest, queryset: QuerySet[AccredibleApiConfig]) -> None:
        self.report_each(request, queryset, sync_groups)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccredibleApiConfig]:
        """Configurations that only the settings know appear as well."""
        ensure_configured()
        return super().get_queryset(request)
