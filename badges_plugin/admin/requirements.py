"""Requirements: what a learner must do for a badge."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from badges_plugin import api
from badges_plugin.admin.conditions import ConditionAdmin, ConditionForm
from badges_plugin.admin.questions import CHOICE, FORGET, KEEP
from badges_plugin.admin.rules import RequirementRuleInline
from badges_plugin.admin.sentences import Condition
from badges_plugin.models import BadgeProgress, BadgeRequirement, BadgeTemplate, RequirementGroup
from badges_plugin.models.groups import tidy


class RequirementForm(ConditionForm):
    """A requirement, in one of the template's groups or in a new one that is made with it."""

    new_group = forms.CharField(
        label=gettext_lazy("New group"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("Makes a group of this name. Choose a group above instead to add an alternative to it."),
    )

    class Meta:
        fields = ("event_type", "group", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("group")
        if isinstance(field, forms.ModelChoiceField) and self.badge_template is not None:
            field.queryset = self.badge_template.groups.order_by("name")
            field.empty_label = _("none: the requirement stands alone")

    def clean_new_group(self) -> str:
        return tidy(self.cleaned_data["new_group"])

    def clean(self) -> dict[str, Any]:
        """Refuse two groups at once."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("group") is not None and cleaned.get("new_group"):
            self.add_error("new_group", ValidationError(_("Choose a group or make a new one, not both.")))
        return cleaned


class BadgeRequirementAdmin(ConditionAdmin):
    form = RequirementForm
    inlines = (RequirementRuleInline,)
    list_display = ("what", "template", "group", "event")
    list_select_related: ClassVar[tuple[str, ...]] = ("template", "group")
    fieldsets = (
        (
            None,
            {
                "fields": ("badge_template", "event_type", "description", "group", "new_group"),
                "description": gettext_lazy(
                    "A requirement is fulfilled by one event to which all rules below apply. "
                    "Without rules, every event of this kind fulfills it."
                ),
            },
        ),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget  # groups are made below, with their first requirement
        return field

    def save_model(self, request: HttpRequest, obj: Condition, form: Any, change: bool) -> None:
        """Save the requirement, and first the group that it is to be the first of."""
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
            KEEP: (api.keep_fulfillments, _("Kept what learners did under earlier rules.")),
            FORGET: (api.forget_fulfillments, _("Forgot what learners did under earlier rules.")),
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
            "what %d learner did for it; badges that were awarded stay",
            "what %d learners did for it; badges that were awarded stay",
            learners,
        )
        listed = [[self.what(requirement), [lost % learners] if learners else []] for requirement in requirements]
        counts = {self.opts.verbose_name_plural: len(requirements)}
        return [item for pair in listed for item in pair if item], counts, set(), []


def _tell_similar(request: HttpRequest, template: BadgeTemplate, name: str) -> None:
    """Two groups must both be fulfilled: say so where the new one looks like a misspelled old one."""
    known = {group.name.casefold(): group.name for group in template.groups.all()}
    similar = difflib.get_close_matches(name.casefold(), known, n=1, cutoff=0.8)
    if similar and similar[0] != name.casefold():
        text = _("“%(new)s” is a group beside “%(old)s” now. Both must be fulfilled.")
        messages.warning(request, text % {"new": name, "old": known[similar[0]]})
