"""Pages of badge templates that are mirrored: what the provider decides is read only, what is asked is set up here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from badges_plugin.admin.templates import BadgeTemplateAdmin, BadgeTemplateForm
from badges_plugin.models import BadgeTemplate


class MirroredTemplateForm(BadgeTemplateForm):
    """The model's ``refusal`` says why the provider would not issue a template; empty when it would."""

    def clean_is_active(self) -> bool:
        """Refuse to switch on what the provider would not issue."""
        wanted = self.cleaned_data["is_active"] and "is_active" in self.changed_data
        refused = [reason for reason in [_refusal(self.instance)] if wanted and reason]
        try:
            is_active = super().clean_is_active()
        except ValidationError as error:
            raise ValidationError([*refused, *error.messages]) from None
        if refused:
            raise ValidationError(refused)
        return is_active


class MirroredTemplateAdmin(BadgeTemplateAdmin):
    """Templates come from the provider, never by hand."""

    form = MirroredTemplateForm

    @admin.action(description=_("Activate selected badge templates"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[BadgeTemplate]) -> HttpResponse | None:
        """As in the core, but for what the provider would not issue."""
        refused = {template.pk: template for template in queryset if _refusal(template)}
        for template in refused.values():
            self.message_user(request, f"{template}: {_refusal(template)}", messages.ERROR)
        return super().activate(request, queryset.exclude(pk__in=refused))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: BadgeTemplate | None = None) -> bool:
        return False


def _refusal(template: Any) -> str:
    return str(template.refusal)
