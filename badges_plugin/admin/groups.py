"""Requirement groups: names, and how many are needed. They are created with their first requirement, on its page."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from badges_plugin.admin import links
from badges_plugin.admin.badge_filter import TemplateFilter
from badges_plugin.admin.base import ModelAdmin, ModelForm
from badges_plugin.models import BadgeTemplate, RequirementGroup


class RequirementGroupForm(ModelForm[RequirementGroup]):
    """The name of a group, and how many of its requirements are needed."""

    class Meta:
        help_texts: ClassVar[dict[str, Any]] = {
            "needed": gettext_lazy("How many of its requirements a learner must fulfill."),
            "position": gettext_lazy("Lower positions come first."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"needed", "position"} & set(self.fields):
            self.fields[name].required = False  # empty: as it is

    def clean_needed(self) -> int:
        """Refuse, of a group of an active template, more than it has."""
        needed: int | None = self.cleaned_data["needed"]
        if needed is None:
            return self.instance.needed
        members = self.instance.requirements.count()
        if needed > members and self.instance.template.is_active:
            text = ngettext(
                "The group has only %d requirement. Add more first, or deactivate the badge template.",
                "The group has only %d requirements. Add more first, or deactivate the badge template.",
                members,
            )
            raise ValidationError(text % members)
        return needed

    def clean_position(self) -> int:
        position: int | None = self.cleaned_data["position"]
        return self.instance.position if position is None else position


class RequirementGroupAdmin(ModelAdmin[RequirementGroup]):
    """A group with requirements cannot be deleted: learners would then have to fulfill each of them."""

    form = RequirementGroupForm
    list_display = ("name", "template", "needed", "members")
    list_filter = (("template", TemplateFilter),)
    list_select_related = ("template",)
    search_fields = ("name", "template__name")
    fields = ("badge_template", "name", "needed", "position")
    readonly_fields = ("badge_template",)
    ordering = ("template__name", "name")

    def get_fields(self, request: HttpRequest, obj: RequirementGroup | None = None) -> Any:
        """Ask for a position only where it matters."""
        fields = super().get_fields(request, obj)
        if obj is not None and obj.template.in_order:
            return fields
        return [name for name in fields if name != "position"]

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
