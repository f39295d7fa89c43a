"""Accredible in the admin: API configurations, their groups, and badges as they are at Accredible."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin import conf
from badges_plugin.admin import cells
from badges_plugin.admin.base import titled
from badges_plugin.distribution.accounts.admin import AccountAdmin, MirroredTemplateAdmin, ProviderBadgeAdmin
from badges_plugin.distribution.accounts.forms import AccountForm
from badges_plugin.distribution.accredible.client import make_client
from badges_plugin.distribution.accredible.models import ORIGIN, AccredibleApiConfig, AccredibleBadge, AccredibleGroup
from badges_plugin.distribution.accredible.sync import sync_groups


class AccredibleApiConfigForm(AccountForm[AccredibleApiConfig]):
    """Saves only a key that Accredible has accepted."""

    provider: ClassVar[str] = "Accredible"
    identity: ClassVar[str] = "name"

    class Meta:
        model = AccredibleApiConfig
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.fields["api_key"].disabled:
            # The settings refer to the configuration by its name.
            self.fields["name"].disabled = True

    def confirm(self, account: AccredibleApiConfig, key: str) -> None:
        make_client(key).check()


class AccredibleApiConfigAdmin(AccountAdmin[AccredibleApiConfig]):
    backend: ClassVar[str] = ORIGIN
    form = AccredibleApiConfigForm
    fields = ("name", "api_key", "key", "deliveries", "synced_at")
    readonly_fields = ("key", "deliveries", "synced_at")
    list_display = ("name", "key", "deliveries", "synced_at")
    search_fields = ("name",)
    actions = ("sync_accredible_groups",)

    @admin.action(description=gettext_lazy("Sync groups"), permissions=["change"])
    def sync_accredible_groups(self, request: HttpRequest, queryset: QuerySet[AccredibleApiConfig]) -> None:
        self.report_each(request, queryset, sync_groups)


class AccredibleGroupAdmin(MirroredTemplateAdmin):
    """Groups come from Accredible by synchronization, never by hand. They have no image: staff set it here."""

    list_display: tuple[str, ...] = (
        "badge",
        "standing",
        "api_config",
        "group_id",
        "still_there",
        "requirement_count",
        "penalty_count",
    )
    list_filter: ClassVar[tuple[Any, ...]] = (
        "api_config",
        "is_gone",
        ("is_active", titled(gettext_lazy("active"))),
        "site",
    )
    list_select_related: ClassVar[tuple[str, ...]] = ("site", "api_config")
    from_accredible = ("api_config", "group_id", "name", "description", "is_gone")
    readonly_fields: ClassVar[tuple[str, ...]] = (*MirroredTemplateAdmin.readonly_fields, *from_accredible)
    fieldsets: ClassVar[Any] = (
        (gettext_lazy("From Accredible"), {"fields": (*from_accredible, "shown_uuid")}),
        (
            gettext_lazy("Awarding"),
            {"fields": ("is_active", "can_be_reawarded", "valid_days", "renewal_days", "icon", "image", "site")},
        ),
    )

    @admin.display(description=gettext_lazy("at Accredible"), ordering="is_gone")
    def still_there(self, group: AccredibleGroup) -> str:
        return cells.state(cells.BAD, _("gone")) if group.is_gone else cells.state(cells.GOOD, _("there"))


class AccredibleBadgeAdmin(ProviderBadgeAdmin[AccredibleBadge]):
    """Badges as they are at Accredible."""


if conf.is_enabled():
    admin.site.register(AccredibleApiConfig, AccredibleApiConfigAdmin)
    admin.site.register(AccredibleGroup, AccredibleGroupAdmin)
    admin.site.register(AccredibleBadge, AccredibleBadgeAdmin)
