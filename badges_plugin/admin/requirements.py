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
from badges_plugin.admin.conditions import ConditionAdmin
from badges_plugin.admin.needed_badges import NeededBadgeForm
from badges_plugin.admin.questions import CHOICE, FORGET, KEEP
from badges_plugin.admin.rules import RequirementRuleInline, countable_choices, offered_event_types
from badges_plugin.counting import count_up_to, in_words
from badges_plugin.models import BadgeRequirement, BadgeTemplate, Fulfillment, RequirementGroup
from badges_plugin.models.groups import tidy
from badges_plugin.reading import Condition


class RequirementForm(NeededBadgeForm):
    """A requirement, in one of the template's groups or in a new one that is made with it."""

    new_group = forms.CharField(
        label=gettext_lazy("New group"),
        required=False,
        max_length=255,
        help_text=gettext_lazy("Creates a group with this name. To join an existing group, choose it above instead."),
    )

    counted_by = forms.ChoiceField(
        label=gettext_lazy("Count different values of"),
        required=False,
        help_text=gettext_lazy(
            "For example course.course_key: the same course counts once. Empty: every event counts. "
            "Events without a value there do not count."
        ),
    )

    class Meta:
        fields = ("event_type", "needs_badge", "group", "description", "count", "counted_by", "position")
        labels: ClassVar[dict[str, Any]] = {"count": gettext_lazy("How many")}
        help_texts: ClassVar[dict[str, Any]] = {
            "count": gettext_lazy("How many events, or different values, it takes."),
            "position": gettext_lazy(
                "Lower positions come first. This is the position of a requirement without a group, or of the new "
                "group. The position of an existing group is set on its own page."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"count", "position"} & set(self.fields):
            self.fields[name].required = False  # empty: as it is
        counted_by = self.fields.get("counted_by")
        if isinstance(counted_by, forms.ChoiceField):
            stored = getattr(self.instance, "counted_by", "")
            counted_by.choices = countable_choices(offered_event_types(self.instance), stored)
        field = self.fields.get("group")
        if isinstance(field, forms.ModelChoiceField) and self.badge_template is not None:
            field.queryset = self.badge_template.groups.order_by("name")
            field.empty_label = _("None (the requirement stands alone)")

    def clean_count(self) -> int:
        return self._or_as_it_is("count")

    def clean_position(self) -> int:
        return self._or_as_it_is("position")

    def _or_as_it_is(self, name: str) -> int:
        given: int | None = self.cleaned_data[name]
        return getattr(self.instance, name) if given is None else given

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
    list_display = ("what", "template", "group", "count", "event")
    list_select_related: ClassVar[tuple[str, ...]] = ("template", "group", "needs_badge")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "badge_template",
                    "needs_badge",
                    "event_type",
                    "description",
                    "group",
                    "new_group",
                    "position",
                ),
                "description": gettext_lazy(
                    "An event fulfills the requirement when all rules below apply to it. "
                    "Without rules, every event of this type does."
                ),
            },
        ),
        (
            gettext_lazy("Counting"),
            {
                "fields": ("count", "counted_by"),
                "description": gettext_lazy(
                    "For any 3 of 5 courses, add a rule that course.course_key is one of the five, and count 3 "
                    "different values of course.course_key. Leave this as it is if one event is enough."
                ),
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Condition | None = None) -> Any:
        """Ask for a position only where it matters."""
        fieldsets = super().get_fieldsets(request, obj)
        template = obj.template if obj is not None else self._chosen_template(request)
        if template is not None and template.in_order:
            return fieldsets
        return [
            (title, {**options, "fields": tuple(name for name in options["fields"] if name != "position")})
            for title, options in fieldsets
        ]

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
            if "position" in form.changed_data:
                obj.group.position = obj.position
                obj.group.save()
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
        fulfillments = Fulfillment.objects.filter(requirement__in=requirements)
        learners = count_up_to(fulfillments.values("progress__user").distinct())
        lost = ngettext(
            "progress of %s learner on it (awarded badges are kept)",
            "progress of %s learners on it (awarded badges are kept)",
            learners,
        )
        listed = [
            [self.what(requirement), [lost % in_words(learners)] if learners else []] for requirement in requirements
        ]
        counts = {self.opts.verbose_name_plural: len(requirements)}
        return [item for pair in listed for item in pair if item], counts, set(), []


def _tell_similar(request: HttpRequest, template: BadgeTemplate, name: str) -> None:
    """Warn that both groups must be fulfilled, where the new one looks like a misspelled old one."""
    known = {group.name.casefold(): group.name for group in template.groups.all()}
    similar = difflib.get_close_matches(name.casefold(), known, n=1, cutoff=0.8)
    if similar and similar[0] != name.casefold():
        text = _("“%(new)s” is now a group in addition to “%(old)s”. Learners must fulfill both.")
        messages.warning(request, text % {"new": name, "old": known[similar[0]]})
