"""Organizations: key in, name filled in, templates synchronized, and whether deliveries flow."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.admin.base import ModelAdmin
from badges_plugin.distribution.credly.forms import CredlyOrganizationForm
from badges_plugin.distribution.credly.models import ORIGIN, CredlyOrganization
from badges_plugin.distribution.credly.organizations import ensure_configured
from badges_plugin.distribution.credly.sync import sync_organization
from badges_plugin.distribution.failures import DeliveryFailure
from badges_plugin.distribution.models import Channel


class CredlyOrganizationAdmin(ModelAdmin[CredlyOrganization]):
    """An organization is asked for at Credly each time it is saved."""

    form = CredlyOrganizationForm
    fields = ("uuid", "api_key", "name", "key", "deliveries", "synced_at")
    readonly_fields = ("name", "key", "deliveries", "synced_at")
    list_display = ("name", "uuid", "key", "deliveries", "synced_at")
    search_fields = ("name", "uuid")
    actions = ("sync_organization_badge_templates",)

    @admin.display(description=gettext_lazy("API key"))
    def key(self, organization: CredlyOrganization) -> str:
        """Say where the key is, never what it is."""
        if organization.key_is_in_settings:
            return _("in the settings")
        return _("stored, encrypted") if organization.sealed_key else _("missing")

    @admin.display(description=gettext_lazy("deliveries"))
    def deliveries(self, organization: CredlyOrganization) -> str:
        """Say whether badges can be delivered, and if not, why."""
        channel = Channel.objects.filter(backend=ORIGIN, account=str(organization.uuid)).first()
        if channel is not None and channel.paused_reason:
            return _("Paused: %s") % channel.paused_reason
        return _("working")

    @admin.action(description=gettext_lazy("Sync organization badge templates"), permissions=["change"])
    def sync_organization_badge_templates(self, request: HttpRequest, queryset: QuerySet[CredlyOrganization]) -> None:
        """One message for each organization; one that fails does not stop the others."""
        for organization in queryset:
            try:
                result = sync_organization(organization)
            except DeliveryFailure as failure:
                self.message_user(request, f"{organization}: {failure.reason}", messages.ERROR)
                continue
            text = _(
                "%(organization)s: %(total)d badge templates, "
                "%(created)d new, %(updated)d changed, %(gone)d deactivated."
            )
            values = {
                "organization": organization,
                "total": result.total,
                "created": result.created,
                "updated": result.updated,
                "gone": result.deactivated,
            }
            self.message_user(request, text % values, messages.SUCCESS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CredlyOrganization]:
        """Organizations that only the settings know appear as well."""
        ensure_configured()
        return super().get_queryset(request)

    def get_readonly_fields(self, request: HttpRequest, obj: CredlyOrganization | None = None) -> tuple[str, ...]:
        """The id of an organization is its identity: it does not change once templates hang on it."""
        return (*self.readonly_fields, "uuid") if obj and obj.badge_templates.exists() else self.readonly_fields
