"""The bases of requirements and penalties, and of their rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from badges_plugin import events
from badges_plugin.exceptions import InvalidRule, UnusableEventType
from badges_plugin.models.configuration import ConfigurationModel
from badges_plugin.models.key_paths import compile_for
from badges_plugin.models.validity import RuleText, digest
from badges_plugin.rules import Operator, Rule

OPERATOR_LABELS = {
    Operator.EQUAL: _("equal to"),
    Operator.NOT_EQUAL: _("not equal to"),
    Operator.GREATER: _("greater than"),
    Operator.GREATER_OR_EQUAL: _("greater than or equal to"),
    Operator.LESS: _("less than"),
    Operator.LESS_OR_EQUAL: _("less than or equal to"),
    Operator.ONE_OF: _("one of"),
    Operator.CONTAINS: _("contains"),
    Operator.STARTS_WITH: _("starts with"),
    Operator.MATCHES: _("matches (with * and ?)"),
}


class EventCondition(ConfigurationModel):
    """What a requirement and a penalty have in common: an event type and rules that must all apply.

    ``event_type`` has no choices here: the configured list is a setting, and a setting must not become a
    migration. The forms offer the choices.

    .. no_pii: This model has no PII.
    """

    event_type = models.CharField(
        _("event type"), max_length=255, help_text=_("Public event that the rules are checked against.")
    )
    description = models.TextField(
        _("description"), blank=True, help_text=_("Shown instead of the rules, for example “Pass Statistics”.")
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Refuse an event type that names no learner, and one that the existing rules cannot work with."""
        super().clean()
        try:
            events.get_event_type(self.event_type)
        except UnusableEventType as error:
            raise ValidationError({"event_type": str(error)}) from error
        for rule in self.existing_rules():
            _compiled(self.event_type, rule)

    def existing_rules(self) -> list[AbstractDataRule]:
        """Return the rules that are stored for this condition, in the order in which they were added."""
        raise NotImplementedError

    def digest(self, rules: Iterable[RuleText] | None = None) -> str:
        """Return what is the same as long as it means the same with these rules, or with the stored ones."""
        return digest(self.event_type, self.existing_rules() if rules is None else rules)


class AbstractDataRule(ConfigurationModel):
    """One comparison on the payload of an event. A rule that cannot work is refused when it is saved.

    .. no_pii: This model has no PII. Key paths to personal data are not accepted unless the operator allows them.
    """

    key_path = models.CharField(
        _("key path"), max_length=255, help_text=_("Where the value is in the event, for example course.course_key.")
    )
    operator = models.CharField(
        _("operator"), max_length=16, choices=[(item.value, label) for item, label in OPERATOR_LABELS.items()]
    )
    value = models.TextField(_("value"), help_text=_("What to compare with. For “one of”: one value per line."))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.key_path} {self.operator} {self.value}"

    @property
    def condition(self) -> EventCondition:
        """Return the requirement or penalty that the rule belongs to."""
        raise NotImplementedError

    def clean(self) -> None:
        """Refuse, naming the field and the reason, what could never be evaluated."""
        super().clean()
        _compiled(self.condition.event_type, self)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the rule. Raises ValidationError when it cannot work: a bad rule is not a false rule."""
        _compiled(self.condition.event_type, self)
        super().save(*args, **kwargs)


def in_order_added(rules: Iterable[AbstractDataRule]) -> list[AbstractDataRule]:
    """Return stored rules in the one order in which people read them, prefetched in any order or not at all."""
    return sorted(rules, key=lambda rule: rule.pk)


def _compiled(event_type: str, rule: AbstractDataRule) -> Rule:
    try:
        return compile_for(event_type, rule)
    except (InvalidRule, UnusableEventType) as error:
        raise ValidationError(f"{rule}: {error}") from error
