"""Data rules, as rows of a requirement or penalty: key path, operator and value."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from badges_plugin import api, conf, events
from badges_plugin.admin.base import BaseInlineFormSet, ModelForm, TabularInline
from badges_plugin.admin.questions import ASKED, Questions, raised_by, unanswered
from badges_plugin.data import ValueKind
from badges_plugin.exceptions import InvalidRule, UnusableEventType
from badges_plugin.models import BadgeRequirement, DataRule, PenaltyDataRule
from badges_plugin.models.conditions import OPERATOR_LABELS, AbstractDataRule
from badges_plugin.models.key_paths import countable_key_paths
from badges_plugin.reading import KIND_LABELS, Condition, event_label
from badges_plugin.rules import OPERATORS, compile_rule

_EXAMPLES = {
    ValueKind.BOOLEAN: gettext_lazy("true or false"),
    ValueKind.NUMBER: gettext_lazy("for example 70"),
    ValueKind.DATETIME: gettext_lazy("for example 2026-01-31"),
    ValueKind.TEXT: gettext_lazy("for example course-v1:Org+Course+Run"),
    ValueKind.LIST: gettext_lazy("one of its items"),
}


def usable_event_types() -> list[str]:
    """Return the configured event types that can be used. A system check tells the operator of the others."""
    return [name for name in conf.config().events if usable_key_paths(name) is not None]


def offered_event_types(condition: Condition | None) -> list[str]:
    """Return the event types to choose from: the usable ones, and the one that is stored or chosen already."""
    known = condition.event_type if condition is not None else ""
    return list(dict.fromkeys([*usable_event_types(), *([known] if known else [])]))


def usable_key_paths(event_type: str) -> dict[str, ValueKind] | None:
    """Return the key paths that rules on an event type may use, or None when the type cannot be used."""
    try:
        return events.key_paths(event_type, conf.config().ignored_keypaths)
    except UnusableEventType:
        return None


def key_path_choices(event_types: list[str], stored: str = "") -> list[tuple[str, object]]:
    """Return the key paths by event type, and the stored one even if it is not usable any more."""
    choices: list[tuple[str, object]] = [("", "---------")]
    known: set[str] = set()
    for event_type in event_types:
        kinds = usable_key_paths(event_type) or {}
        known.update(kinds)
        choices.append(
            (event_label(event_type), [(path, f"{path} ({KIND_LABELS[kind]})") for path, kind in kinds.items()])
        )
    if stored and stored not in known:
        choices.append((stored, _("%(key_path)s (not usable)") % {"key_path": stored}))
    return choices


def countable_choices(event_types: list[str], stored: str = "") -> list[tuple[str, object]]:
    """Return the key paths whose values can be counted, and the stored one even if it is not usable any more."""
    paths = dict.fromkeys(path for name in event_types for path in countable_key_paths(name))
    if stored and stored not in paths:
        return [("", "---------"), *((path, path) for path in paths), (stored, _("%s (not usable)") % stored)]
    return [("", "---------"), *((path, path) for path in paths)]


def choices_for_script(event_types: list[str]) -> dict[str, object]:
    """Return what the page needs to offer only what fits: key paths by event type, operators by kind of value."""
    by_type = {event_type: usable_key_paths(event_type) or {} for event_type in event_types}
    return {
        "kinds": {name: {path: kind.name for path, kind in kinds.items()} for name, kinds in by_type.items()},
        "operators": {
            kind.name: [[item.value, str(OPERATOR_LABELS[item])] for item in items] for kind, items in OPERATORS.items()
        },
        "labels": {kind.name: str(label) for kind, label in KIND_LABELS.items()},
        "examples": {kind.name: str(example) for kind, example in _EXAMPLES.items()},
        "countable": {event_type: countable_key_paths(event_type) for event_type in event_types},
        "not_usable": _("not usable"),
    }


class RuleForm(ModelForm[AbstractDataRule]):
    """One rule of ``condition``. Errors are shown at the field that is wrong."""

    key_path = forms.ChoiceField(
        label=gettext_lazy("Key path"), help_text=gettext_lazy("Where the value is in the event.")
    )
    value = forms.CharField(
        label=gettext_lazy("Value"),
        widget=forms.Textarea(attrs={"rows": 1, "cols": 45}),
        help_text=gettext_lazy("What to compare with. For “one of”: one value per line."),
    )

    def __init__(self, *args: Any, condition: Condition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.condition = condition
        # The one that is being edited, with its new event type; by its key the stored one would be found.
        setattr(self.instance, _condition_name(condition), condition)
        field = self.fields["key_path"]
        if isinstance(field, forms.ChoiceField):
            field.choices = key_path_choices(offered_event_types(condition), self.instance.key_path)

    def clean(self) -> dict[str, Any]:
        """Refuse a rule that can never be evaluated, with the reason, at its field."""
        cleaned = super().clean() or self.cleaned_data
        kinds = usable_key_paths(self.condition.event_type)
        if not self.errors and kinds is not None:  # without an event type, that is the error to be shown
            self._check(kinds.get(cleaned["key_path"]), cleaned)
        return cleaned

    def _check(self, kind: ValueKind | None, cleaned: dict[str, Any]) -> None:
        if kind is None:
            message = _("“%(event)s” has no usable value at %(key_path)s.")
            names = {"event": event_label(self.condition.event_type), "key_path": cleaned["key_path"]}
            self.add_error("key_path", message % names)
        elif cleaned["operator"] not in OPERATORS[kind]:
            message = _("%(key_path)s is of the kind “%(kind)s”. Choose one of: %(operators)s.")
            operators = ", ".join(str(OPERATOR_LABELS[item]) for item in OPERATORS[kind])
            self.add_error(
                "operator",
                message % {"key_path": cleaned["key_path"], "kind": KIND_LABELS[kind], "operators": operators},
            )
        else:
            try:
                compile_rule(cleaned["key_path"], cleaned["operator"], cleaned["value"], kind)
            except InvalidRule as error:
                self.add_error("value", str(error))

    def _post_clean(self) -> None:
        # The model would judge the rule by the fields that are fine, and say something beside the point.
        if not self.errors:
            super()._post_clean()  # type: ignore[misc]


class RuleFormSet(BaseInlineFormSet[AbstractDataRule, Condition, ModelForm[AbstractDataRule]]):
    """The rules of one requirement or penalty, valid once the questions that they raise are answered."""

    questions: Questions | None = None

    def clean(self) -> None:
        super().clean()
        if any(self.errors) or not self.instance.event_type:
            return
        kept = [form for form in self.forms if form not in self.deleted_forms]
        rules = [form.instance for form in kept if form.instance.pk or form.has_changed()]
        if problems := _problems_of_dependencies(self.instance, rules):
            raise ValidationError(problems)
        self.questions = raised_by(self.instance, rules, self.data)
        if missing := unanswered(self.questions):
            raise ValidationError([ValidationError(text, code=ASKED) for text in missing])

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "condition": self.instance}

    def add_fields(self, form: ModelForm[AbstractDataRule], index: int | None) -> None:
        """Say at each field what it is: the heading of its column is no label to a screen reader."""
        super().add_fields(form, index)
        for bound in form.visible_fields():
            names = {"field": bound.label, "number": (index or 0) + 1}
            said = str(bound.label) if index is None else _("%(field)s of rule %(number)d") % names
            bound.field.widget.attrs["aria-label"] = said


class PenaltyRuleFormSet(RuleFormSet):
    """A penalty without rules would never apply, so it is refused."""

    def clean(self) -> None:
        kept = [form for form in self.forms if form not in self.deleted_forms and (form.has_changed() or form.errors)]
        if not kept and not any(form.instance.pk for form in self.forms if form not in self.deleted_forms):
            raise ValidationError(_("A penalty needs at least one rule: without rules it would never apply."))
        super().clean()


class RuleInline(TabularInline[AbstractDataRule, Condition]):
    """Rules that must all apply. The columns of a subclass are the same; model and formset are its own."""

    form = RuleForm
    formset = RuleFormSet
    fields = ("key_path", "operator", "value")
    verbose_name = gettext_lazy("rule")
    verbose_name_plural = gettext_lazy("Rules (all must apply to the event)")

    def get_extra(self, request: HttpRequest, obj: Condition | None = None, **kwargs: object) -> int:
        return 0 if obj is not None and obj.existing_rules() else 1


class RequirementRuleInline(RuleInline):
    model = DataRule


class PenaltyRuleInline(RuleInline):
    model = PenaltyDataRule
    formset = PenaltyRuleFormSet


def _problems_of_dependencies(condition: Condition, rules: list[AbstractDataRule]) -> list[str]:
    """Return the circle of badges that rules on badge events would close. A needed badge has its own field."""
    if not isinstance(condition, BadgeRequirement) or condition.needs_badge_id is not None:
        return []
    return api.dependency_problems(condition, rules)


def _condition_name(condition: Condition) -> str:
    return "requirement" if isinstance(condition, BadgeRequirement) else "penalty"
