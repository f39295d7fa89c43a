"""The choice of another badge that learners need, in the place of an event and its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin import api
from badges_plugin.admin.conditions import ConditionForm
from badges_plugin.events import BADGE_AWARDED_TYPE
from badges_plugin.models import BadgeRequirement, BadgeTemplate

if TYPE_CHECKING:
    BadgeField = forms.ModelChoiceField[BadgeTemplate]
else:
    BadgeField = forms.ModelChoiceField

NEEDED = "needs_badge"


class PlainSelect(forms.Select):
    """A select for thousands of options. Django renders a template for each, which takes ten times as long."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        widget = self.get_context(name, value, attrs)["widget"]
        options = (option for _, group, _ in widget["optgroups"] for option in group)
        rows = ((each["value"], flatatt({"selected": bool(each["selected"])}), each["label"]) for each in options)
        inside = format_html_join("\n", '<option value="{}"{}>{}</option>', rows)
        return format_html('<select name="{}"{}>\n{}\n</select>', widget["name"], flatatt(widget["attrs"]), inside)


class BadgeChoice(BadgeField):
    """Badges by name; those that nobody can earn at present say so."""

    def label_from_instance(self, obj: BadgeTemplate) -> str:
        return obj.name if obj.is_active else _("%(badge)s (inactive)") % {"badge": obj.name}


class NeededBadgeForm(ConditionForm):
    """A requirement by an event and its rules, or by another badge."""

    needs_badge = BadgeChoice(
        queryset=BadgeTemplate.objects.none(),
        required=False,
        widget=PlainSelect,
        label=gettext_lazy("Needs the badge"),
        empty_label=gettext_lazy("None (an event fulfills the requirement)"),
        help_text=gettext_lazy(
            "Fulfilled while the learner holds this badge. It takes the place of the event and its rules."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get(NEEDED)
        if isinstance(field, BadgeChoice):
            field.queryset = BadgeTemplate.objects.order_by("name", "pk")
            if self.badge_template is not None:
                field.queryset = field.queryset.exclude(pk=self.badge_template.pk)
        if self._is_chosen() and "event_type" in self.fields:
            self.fields["event_type"].required = False

    def clean_event_type(self) -> str:
        """Let a chosen badge say what is waited for."""
        return BADGE_AWARDED_TYPE if self._is_chosen() else super().clean_event_type()

    def _is_chosen(self) -> bool:
        return NEEDED in self.fields and bool(self.data.get(self.add_prefix(NEEDED)))

    def _post_clean(self) -> None:
        super()._post_clean()
        requirement = self.instance
        if self.errors or not isinstance(requirement, BadgeRequirement) or requirement.needs_badge_id is None:
            return
        for problem in api.dependency_problems(requirement, []):
            self.add_error(NEEDED, problem)
