"""The badges that belong to Open edX itself, made by staff: which are drafts, and which of these have a problem."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin import api
from badges_plugin.admin import cells
from badges_plugin.admin.templates import BadgeTemplateAdmin
from badges_plugin.models import BadgeProgress, BadgeTemplate

DRAFTS, DRAFT, PROBLEM = "drafts", "all", "problem"
"""Name and values of the filter."""


class DraftFilter(admin.SimpleListFilter):
    title = gettext_lazy("drafts")
    parameter_name = DRAFTS

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, object]]:  # type: ignore[override]
        return [(DRAFT, _("all drafts")), (PROBLEM, _("drafts with a problem"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[BadgeTemplate]) -> QuerySet[BadgeTemplate]:
        if self.value() == DRAFT:
            return queryset.filter(pk__in=api.drafts().values("pk"))
        if self.value() == PROBLEM:
            return queryset.filter(pk__in=api.drafts_with_problems())
        return queryset


class OwnBadgeTemplateAdmin(BadgeTemplateAdmin):
    """The templates that belong to Open edX itself.

    Those of a backend have their own list, with the backend's facts; here they would look like ours to edit.
    """

    is_of_provider = False
    empty_text = gettext_lazy("No badge yet. Make the first one.")
    list_filter: ClassVar[tuple[Any, ...]] = (*BadgeTemplateAdmin.list_filter[:1], DraftFilter, "site")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BadgeTemplate]:
        begun = Exists(BadgeProgress.objects.filter(template=OuterRef("pk")))
        return super().get_queryset(request).filter(origin=BadgeTemplate.ORIGIN).annotate(is_begun=begun)

    @admin.display(description=gettext_lazy("state"), ordering="is_active")
    def standing(self, template: BadgeTemplate) -> str:
        if not template.is_active and not vars(template)["is_begun"]:
            return cells.state(cells.NOTHING, _("draft"))
        return super().standing(template)
