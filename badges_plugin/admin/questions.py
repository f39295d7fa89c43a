"""Questions that a change of rules raises, asked on the page where it is made.

Nothing is saved before they are answered: what learners did under the old rules is kept or forgotten by choice, and
rules that reward failing, or punish passing, are confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from badges_plugin import api
from badges_plugin.admin.sentences import Condition, event_label, rules_sentence
from badges_plugin.models import BadgeRequirement
from badges_plugin.models.requirements import AbstractDataRule

KEEP, FORGET = "keep", "forget"
CHOICE, CONFIRMED = "earlier_fulfillments", "confirm_rules"
"""Names of the fields."""

NOBODY = api.Earlier()


@dataclass(frozen=True)
class Questions:
    """What must be answered. ``before`` and ``after`` say the rules in words, if they were changed."""

    earlier: api.Earlier = NOBODY
    to_confirm: Sequence[str] = ()
    before: str = ""
    after: str = ""
    choice: str = ""
    """What was chosen, or is chosen beforehand."""
    is_confirmed: bool = False
    is_changed: bool = False
    is_uncountable: bool = False
    """Whether values are counted from now on that are not known of what was done before: it cannot count."""

    def __bool__(self) -> bool:
        return bool(self.earlier or self.to_confirm)

    @property
    def on_the_way(self) -> int:
        return self.earlier.learners - self.earlier.holders


def unasked(condition: Condition) -> Questions:
    """Return what is open although nobody changes anything now: rules that were changed behind the admin's back."""
    if isinstance(condition, BadgeRequirement) and condition.pk:
        return Questions(earlier=api.undecided_fulfillments(condition.template).get(condition.pk, NOBODY))
    return Questions()


def raised_by(condition: Condition, rules: Sequence[AbstractDataRule], data: Mapping[str, str]) -> Questions:
    """Return what a requirement or penalty with new values and rules raises, with the answers that were given."""
    stored = type(condition).objects.filter(pk=condition.pk).first() if condition.pk else None
    new = condition.digest(rules)
    if stored is not None and stored.digest() == new:
        return unasked(condition)
    earlier = NOBODY
    if isinstance(stored, BadgeRequirement):
        earlier = api.undecided_fulfillments_after(stored, new)
    return Questions(
        earlier=earlier,
        to_confirm=api.confirmations(_name(condition, rules), condition, rules),
        before=_said(stored, stored.existing_rules()) if stored is not None else "",
        after=_said(condition, rules),
        choice=data.get(CHOICE, ""),
        is_confirmed=data.get(CONFIRMED) == "on",
        is_changed=True,
        is_uncountable=_is_uncountable(stored, condition),
    )


def unanswered(questions: Questions) -> list[str]:
    """Return what must be said to somebody who has not answered yet."""
    missing = []
    if questions.is_changed and questions.earlier and questions.choice not in (KEEP, FORGET):
        missing.append(_("Choose whether these learners keep what they have already fulfilled. Nothing is saved yet."))
    if questions.to_confirm and not questions.is_confirmed:
        missing.append(_("Confirm above that you want this, or correct the rules. Nothing is saved yet."))
    return missing


def _name(condition: Condition, rules: Sequence[AbstractDataRule]) -> str:
    return condition.description or rules_sentence(rules)


def _said(condition: Condition, rules: Sequence[AbstractDataRule]) -> str:
    said = f"{event_label(condition.event_type)}: {rules_sentence(rules)}"
    if not isinstance(condition, BadgeRequirement) or condition.way.is_one:
        return said
    if condition.counted_by:
        text = _("%(what)s; %(count)d different values of %(key_path)s")
        return text % {"what": said, "count": condition.count, "key_path": condition.counted_by}
    return _("%(what)s; %(count)d times") % {"what": said, "count": condition.count}


def _is_uncountable(stored: Condition | None, condition: Condition) -> bool:
    if not isinstance(stored, BadgeRequirement) or not isinstance(condition, BadgeRequirement):
        return False
    return bool(condition.counted_by) and stored.way != condition.way
