"""API configurations: key in, groups synchronized, and whether deliveries flow."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.admin.base import ModelAdmin
from badges_plugin.distribution.accredible.configurations import ensure_configured
from badges_plugin.distribution.accredible.forms import AccredibleApiConfigForm
from badges_plugin.distribution.accredible.models import ORIGIN, AccredibleApiConfig
from badges_plugin.distribution.accredible.sync import sync_groups
from badges_plugin.distribution.failures import DeliveryFailure
from badges_plugin.distribution.models import Channel


class AccredibleApiConfigAdmin(ModelAdmin[AccredibleApiConfig]):
    """Accredible is asked about the key each time a configuration is saved."""

    form = AccredibleApiConfigForm
    fields = ("name", "api_key", "key", "deliveries", "synced_at")
    readonly_fields = ("key", "deliveries", "synced_at")
    list_display = ("name", "key", "deliveries", "synced_at")
    search_fields = ("name",)
    actions = ("sync_accredible_groups",)

    @admin.display(description=gettext_lazy("API key"))
    def key(self, api_config: AccredibleApiConfig) -> str:
        """Say where the key is, never what it is."""
        if api_config.key_is_in_settings:
            return _("in the settings")
        return _("stored, encrypted") if api_config.sealed_key else _("missing")

    @admin.display(description=gettext_lazy("deliveries"))
    def deliveries(self, api_config: AccredibleApiConfig) -> str:
        """Say whether badges can be delivered, and if not, why."""
        channel = Channel.objects.filter(backend=ORIGIN, account=str(api_config.pk)).first()
        if channel is not None and channel.paused_reason:
            return _("Paused: %s") % channel.paused_reason
        return _("working")

    @admin.action(description=gettext_lazy("Sync groups"), permissions=["change"])
    def sync_accredible_groups(self, request: HttpRequest, queryset: QuerySet[AccredibleApiConfig]) -> None:
        """One message for each configuration; one that fails does not stop the others."""
        for api_config in queryset:
            try:
                result = sync_groups(api_config)
            except DeliveryFailure as failure:
                self.message_user(request, f"{api_config}: {failure.reason}", messages.ERROR)
                continue
            text = _("%(name)s: %(total)d groups, %(created)d new, %(updated)d changed, %(gone)d deactivated.")
            values = {
                "name": api_config,
                "total": result.total,
                "created": result.created,
                "updated": result.updated,
                "gone": result.deactivated,
            }
            self.message_user(request, text % values, messages.SUCCESS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccredibleApiConfig]:
        """Configurations that only the settings know appear as well."""
        ensure_configured()
        return super().get_queryset(request)
