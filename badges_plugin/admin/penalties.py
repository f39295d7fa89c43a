"""Penalties: what takes fulfilled requirements away again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.admin.conditions import ConditionAdmin, ConditionForm
from badges_plugin.admin.rules import PenaltyRuleInline
from badges_plugin.admin.sentences import Condition, condition_sentence
from badges_plugin.models import BadgePenalty, BadgeRequirement, BadgeTemplate

if TYPE_CHECKING:
    RequirementField = forms.ModelMultipleChoiceField[BadgeRequirement]
else:
    RequirementField = forms.ModelMultipleChoiceField


class RequirementChoice(RequirementField):
    """Requirements, said in words."""

    def label_from_instance(self, obj: BadgeRequirement) -> str:
        return condition_sentence(obj)


class PenaltyForm(ConditionForm):
    requirements = RequirementChoice(
        queryset=BadgeRequirement.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Requirements"),
        help_text=gettext_lazy("These count as not fulfilled any more when the penalty applies."),
        error_messages={"required": gettext_lazy("Choose at least one requirement that the penalty takes away.")},
    )

    class Meta:
        fields = ("event_type", "requirements", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("requirements")
        if isinstance(field, forms.ModelMultipleChoiceField) and self.badge_template is not None:
            field.queryset = self.badge_template.requirements.prefetch_related("rules").order_by("pk")


class BadgePenaltyAdmin(ConditionAdmin):
    form = PenaltyForm
    inlines = (PenaltyRuleInline,)
    list_display = ("what", "template", "takes_away", "event")
    fieldsets = (
        (
            None,
            {
                "fields": ("badge_template", "event_type", "description", "requirements"),
                "description": gettext_lazy(
                    "When an event comes to which all rules below apply, the learner loses the chosen requirements. "
                    "A badge that is not complete any more is revoked."
                ),
            },
        ),
    )

    @admin.display(description=gettext_lazy("takes away"))
    def takes_away(self, penalty: BadgePenalty) -> str:
        return "; ".join(condition_sentence(requirement) for requirement in penalty.requirements.all())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Condition]:
        return super().get_queryset(request).prefetch_related("requirements__rules")

    def reason_against_adding(self, template: BadgeTemplate) -> str:
        if template.requirements.exists():
            return ""
        return _("Add a requirement first: a penalty takes requirements away.")
