"""Requirements: what a learner must do for a badge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models import BadgeProgress
from .conditions import ConditionAdmin, ConditionForm
from .rules import RequirementRuleInline


class RequirementForm(ConditionForm):
    class Meta:
        fields = ("event_type", "group", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.badge_template is None or "group" not in self.fields:
            return
        groups = self.badge_template.requirements.exclude(group="").values_list("group", flat=True)
        if groups:
            in_use = _("In use: %s.") % ", ".join(escape(group) for group in sorted(set(groups)))
            self.fields["group"].help_text = f"{self.fields['group'].help_text} {in_use}"


class BadgeRequirementAdmin(ConditionAdmin):
    form = RequirementForm
    inlines = (RequirementRuleInline,)
    list_display = ("what", "template", "group", "event")
    fieldsets = (
        (
            None,
            {
                "fields": ("badge_template", "event_type", "description", "group"),
                "description": gettext_lazy(
                    "A requirement is fulfilled by one event to which all rules below apply. "
                    "Without rules, every event of this kind fulfills it."
                ),
            },
        ),
    )

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
