"""Groups of requirements: their names. They are made with their first requirement, on its page."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from badges_plugin.admin import links
from badges_plugin.admin.base import ModelAdmin
from badges_plugin.models import BadgeTemplate, RequirementGroup


class RequirementGroupAdmin(ModelAdmin[RequirementGroup]):
    """A group that has requirements cannot be deleted: they would all have to be fulfilled then."""

    list_display = ("name", "template", "members")
    list_filter = ("template",)
    list_select_related = ("template",)
    search_fields = ("name", "template__name")
    fields = ("badge_template", "name")
    readonly_fields = ("badge_template",)
    ordering = ("template__name", "name")

    @admin.display(description=gettext_lazy("badge template"))
    def badge_template(self, group: RequirementGroup) -> str:
        template: BadgeTemplate = group.template
        return links.link_to(self.admin_site, links.template_model(self.admin_site, template), template.pk, template)

    @admin.display(description=gettext_lazy("requirements"), ordering="member_total")
    def members(self, group: RequirementGroup) -> int:
        return int(getattr(group, "member_total", 0))

    def get_queryset(self, request: HttpRequest) -> QuerySet[RequirementGroup]:
        return super().get_queryset(request).annotate(member_total=Count("requirements"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
