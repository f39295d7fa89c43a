"""Requirements, what a learner must do for a badge, and the groups that they belong to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from badges_plugin import api
from badges_plugin.admin import links
from badges_plugin.admin.base import ModelAdmin
from badges_plugin.admin.conditions import ConditionAdmin, ConditionForm
from badges_plugin.admin.questions import CHOICE, FORGET, KEEP
from badges_plugin.admin.rules import RequirementRuleInline
from badges_plugin.models import BadgeProgress, BadgeRequirement, BadgeTemplate, RequirementGroup
from badges_plugin.models.groups import tidy
from badges_plugin.reading import Condition


class RequirementForm(ConditionForm):
    """A requirement, in one of the template's groups or in a new one that is made with it."""

    new_group = forms.CharField(
        label=gettext_lazy("New group"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("Creates a group with this name. To join an existing group, choose it above instead."),
    )

    class Meta:
        fields = ("event_type", "group", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("group")
        if isinstance(field, forms.ModelChoiceField) and self.badge_template is not None:
            field.queryset = self.badge_template.groups.order_by("name")
            field.empty_label = _("None (the requirement stands alone)")

    def clean_new_group(self) -> str:
        return tidy(self.cleaned_data["new_group"])

    def clean(self) -> dict[str, Any]:
        """Refuse two groups at once."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("group") is not None and cleaned.get("new_group"):
            self.add_error("new_group", ValidationError(_("Choose a group or create a new one, not both.")))
        return cleaned


class BadgeRequirementAdmin(ConditionAdmin):
    form = RequirementForm
    inlines = (RequirementRuleInline,)
    list_display = ("what", "template", "group", "event")
    list_select_related: ClassVar[tuple[str, ...]] = ("template", "group", "needs_badge")
    fieldsets = (
        (
            None,
            {
                "fields": ("badge_template", "event_type", "description", "group", "new_group"),
                "description": gettext_lazy(
                    "An event fulfills the requirement when all rules below apply to it. "
                    "Without rules, every event of this type does."
                ),
            },
        ),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget  # a new group is named in a field of the form
        return field

    def save_model(self, request: HttpRequest, obj: Condition, form: Any, change: bool) -> None:
        """Save the requirement, and before it the new group that it belongs to."""
        if not isinstance(obj, BadgeRequirement):  # one admin class serves penalties as well, as far as types know
            raise TypeError(type(obj))
        name = form.cleaned_data.get("new_group")
        if name:
            _tell_similar(request, obj.template, name)
            obj.group = RequirementGroup.named(obj.template, name)
        if change:
            form.made_under = BadgeRequirement.objects.get(pk=obj.pk).validity().current
        super().save_model(request, obj, form, change)

    def decide(self, request: HttpRequest, condition: Condition, form: Any) -> None:
        decide, text = {
            KEEP: (api.keep_fulfillments, _("Kept what learners had done under earlier rules.")),
            FORGET: (api.forget_fulfillments, _("Forgot what learners had done under earlier rules.")),
        }.get(request.POST.get(CHOICE, ""), (None, ""))
        if decide is not None and isinstance(condition, BadgeRequirement) and hasattr(form, "made_under"):
            decide(condition, before=form.made_under)
            self.log_change(request, condition, text)

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[Any], Any, set[str], list[str]]:
        """Count the learners who fulfilled it: Django would load and list every one of them."""
        requirements = list(objs)
        learners = (
            BadgeProgress.objects.filter(fulfillments__requirement__in=requirements).values("user").distinct().count()
        )
        lost = ngettext(
            "progress of %d learner on it (awarded badges are kept)",
            "progress of %d learners on it (awarded badges are kept)",
            learners,
        )
        listed = [[self.what(requirement), [lost % learners] if learners else []] for requirement in requirements]
        counts = {self.opts.verbose_name_plural: len(requirements)}
        return [item for pair in listed for item in pair if item], counts, set(), []


class RequirementGroupAdmin(ModelAdmin[RequirementGroup]):
    """Names of groups. They are created with their first requirement, and deleted only once they have none."""

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


def _tell_similar(request: HttpRequest, template: BadgeTemplate, name: str) -> None:
    """Warn that both groups must be fulfilled, where the new one looks like a misspelled old one."""
    known = {group.name.casefold(): group.name for group in template.groups.all()}
    similar = difflib.get_close_matches(name.casefold(), known, n=1, cutoff=0.8)
    if similar and similar[0] != name.casefold():
        text = _("“%(new)s” is now a group in addition to “%(old)s”. Learners must fulfill both.")
        messages.warning(request, text % {"new": name, "old": known[similar[0]]})
