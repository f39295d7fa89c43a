"""Credly's badge templates: what Credly decides is read only, what is asked of learners is set up here."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.admin.templates import BadgeTemplateAdmin, BadgeTemplateForm
from badges_plugin.distribution.credly.data import TemplateState
from badges_plugin.distribution.credly.models import CredlyBadgeTemplate
from badges_plugin.models import BadgeTemplate

_NOT_ISSUED = (TemplateState.DRAFT.value, TemplateState.ARCHIVED.value, TemplateState.DELETED.value)


class CredlyBadgeTemplateForm(BadgeTemplateForm):
    def clean_is_active(self) -> bool:
        """Refuse to switch on what Credly would not issue."""
        wanted = self.cleaned_data["is_active"] and "is_active" in self.changed_data
        refused = [_refusal(self.instance)] if wanted and getattr(self.instance, "state", "") in _NOT_ISSUED else []
        try:
            is_active = super().clean_is_active()
        except ValidationError as error:
            raise ValidationError([*refused, *error.messages]) from None
        if refused:
            raise ValidationError(refused)
        return is_active


class CredlyBadgeTemplateAdmin(BadgeTemplateAdmin):
    """Templates come from Credly by synchronization or webhook, never by hand."""

    form = CredlyBadgeTemplateForm
    list_display: tuple[str, ...] = (
        "name",
        "organization",
        "state",
        "is_active",
        "requirement_count",
        "penalty_count",
        "site",
    )
    list_filter: ClassVar[tuple[Any, ...]] = ("organization", "state", "is_active", "site")
    list_select_related: ClassVar[tuple[str, ...]] = ("site", "organization")
    readonly_fields: ClassVar[tuple[str, ...]] = (
        *BadgeTemplateAdmin.readonly_fields,
        "organization",
        "name",
        "description",
        "icon",
        "state",
    )
    fieldsets: ClassVar[Any] = (
        (
            gettext_lazy("From Credly"),
            {"fields": ("organization", "name", "description", "icon", "image", "state", "shown_uuid")},
        ),
        (gettext_lazy("Awarding"), {"fields": ("is_active", "can_be_reawarded", "site")}),
    )

    @admin.action(description=gettext_lazy("Activate selected badge templates"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[BadgeTemplate]) -> None:
        """As in the core, but for what Credly would not issue."""
        refused = CredlyBadgeTemplate.objects.filter(pk__in=queryset.values("pk"), state__in=_NOT_ISSUED)
        for template in refused:
            self.message_user(request, f"{template}: {_refusal(template)}", messages.ERROR)
        super().activate(request, queryset.exclude(pk__in=refused.values("pk")))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: BadgeTemplate | None = None) -> bool:
        return False


def _refusal(template: BadgeTemplate) -> str:
    state = getattr(template, "state", "")
    if state == TemplateState.DELETED.value:
        return _("Credly no longer has this template.")
    return _("Credly issues no badges of this template, its state is “%s”. Publish it there, then synchronize.") % state
