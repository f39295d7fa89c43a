"""Penalties: events that take fulfilled requirements away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin.admin.conditions import ConditionAdmin, ConditionForm, ConditionList
from badges_plugin.admin.rules import PenaltyRuleInline
from badges_plugin.models import BadgePenalty, BadgeRequirement, BadgeTemplate
from badges_plugin.reading import Condition, join_sentences, sentences

if TYPE_CHECKING:
    RequirementField = forms.ModelMultipleChoiceField[BadgeRequirement]
else:
    RequirementField = forms.ModelMultipleChoiceField


class RequirementChoice(RequirementField):
    """Requirements, each by its sentence."""

    said: Mapping[int, str] = {}

    def offer(self, requirements: QuerySet[BadgeRequirement]) -> None:
        """Offer these requirements."""
        self.queryset = requirements
        self.said = sentences(requirements)

    def label_from_instance(self, obj: BadgeRequirement) -> str:
        return self.said.get(obj.pk, str(obj))


class PenaltyForm(ConditionForm):
    requirements = RequirementChoice(
        queryset=BadgeRequirement.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Requirements"),
        help_text=gettext_lazy("When the penalty applies, the learner has to fulfill these again."),
        error_messages={"required": gettext_lazy("Choose at least one requirement for the penalty to reset.")},
    )

    class Meta:
        fields = ("event_type", "requirements", "description")
        help_texts: ClassVar[dict[str, Any]] = {
            "description": gettext_lazy(
                "Shown instead of the rules, for example “Failed Statistics”. When the penalty revokes a badge, the "
                "learner reads it as the reason."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("requirements")
        if isinstance(field, RequirementChoice) and self.badge_template is not None:
            requirements = self.badge_template.requirements.select_related("needs_badge").prefetch_related("rules")
            field.offer(requirements.order_by("pk"))


class PenaltyList(ConditionList):
    """Says the requirements of a page's penalties as well."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        said = sentences({each.pk: each for row in self.result_list for each in row.requirements.all()}.values())
        for penalty in self.result_list:
            vars(penalty)["linked"] = said


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
                    "When all rules below apply to an event, the chosen requirements are no longer fulfilled. "
                    "If the badge is then incomplete, it is revoked."
                ),
            },
        ),
    )

    @admin.display(description=gettext_lazy("resets"))
    def takes_away(self, penalty: BadgePenalty) -> str:
        requirements = sorted(penalty.requirements.all(), key=lambda requirement: requirement.pk)
        said = vars(penalty).get("linked") or sentences(requirements)
        return join_sentences(said[requirement.pk] for requirement in requirements)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Condition]:
        return super().get_queryset(request).prefetch_related("requirements__rules", "requirements__needs_badge")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PenaltyList

    def reason_against_adding(self, template: BadgeTemplate) -> str:
        if template.requirements.exists():
            return ""
        return _("Add a requirement first. A penalty resets requirements.")
