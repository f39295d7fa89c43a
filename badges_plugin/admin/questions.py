"""Questions that a change of rules raises, asked on the page where the change is made.

Nothing is saved before they are answered: staff choose whether what learners did under the old rules is kept or
forgotten, and confirm rules that reward failing or punish passing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import AdminErrorList
from django.forms.utils import ErrorList
from django.http import HttpRequest
from django.utils.translation import gettext as _

from badges_plugin import api
from badges_plugin.counting import in_words
from badges_plugin.models import BadgeRequirement
from badges_plugin.models.conditions import AbstractDataRule
from badges_plugin.reading import Condition, plain_sentence, rules_sentence

KEEP, FORGET = "keep", "forget"
CHOICE, CONFIRMED = "earlier_fulfillments", "confirm_rules"
"""Names of the fields."""
ASKED = "asked"
"""Code of validation errors that only say that a question is open."""

NOBODY = api.Earlier()


@dataclass(frozen=True)
class Questions:
    """The open questions. ``before`` and ``after`` are the rules in words, if they were changed."""

    earlier: api.Earlier = NOBODY
    to_confirm: Sequence[str] = ()
    before: str = ""
    after: str = ""
    choice: str = ""
    """The answer that was given, or is chosen beforehand."""
    is_confirmed: bool = False
    is_changed: bool = False
    is_uncountable: bool = False
    """Whether values are counted from now on that are not known of what was done before: it cannot count."""

    def __bool__(self) -> bool:
        return bool(self.earlier or self.to_confirm)

    @property
    def learners(self) -> str:
        return in_words(self.earlier.learners)

    @property
    def holders(self) -> str:
        return self._of_those_counted(self.earlier.holders)

    @property
    def on_the_way(self) -> str:
        return self._of_those_counted(self.earlier.learners - self.earlier.holders)

    def _of_those_counted(self, number: int) -> str:
        return _("at least %d") % number if self.earlier.is_cut else str(number)


def unasked(condition: Condition) -> Questions:
    """Return the questions that are open before anything is changed: the rules were changed outside the admin."""
    if isinstance(condition, BadgeRequirement) and condition.pk:
        return Questions(earlier=api.undecided_fulfillments(condition.template).get(condition.pk, NOBODY))
    return Questions()


def raised_by(condition: Condition, rules: Sequence[AbstractDataRule], data: Mapping[str, str]) -> Questions:
    """Return the questions that new values and rules raise, with the answers that were given."""
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
        before=plain_sentence(stored, stored.existing_rules()) if stored is not None else "",
        after=plain_sentence(condition, rules),
        choice=data.get(CHOICE, ""),
        is_confirmed=data.get(CONFIRMED) == "on",
        is_changed=True,
        is_uncountable=_is_uncountable(stored, condition),
    )


def unanswered(questions: Questions) -> list[str]:
    """Return a sentence for each question that has no answer yet."""
    missing = []
    if questions.is_changed and questions.earlier and questions.choice not in (KEEP, FORGET):
        missing.append(_("Nothing is saved yet. Choose whether these learners keep what they have already fulfilled."))
    if questions.to_confirm and not questions.is_confirmed:
        missing.append(_("Nothing is saved yet. Confirm that you want this, or correct the rules."))
    return missing


def ask_plainly(request: HttpRequest, context: dict[str, Any]) -> None:
    """Show open questions of an admin page as a message: they keep it from being saved, but nothing is wrong."""
    form, formsets = context["adminform"].form, [each.formset for each in context["inline_admin_formsets"]]
    if not form.is_bound:
        return
    errors = [*form.errors.values(), *(formset.non_form_errors() for formset in formsets)]
    for text in dict.fromkeys(text for each in errors for text in _take_questions(each)):
        messages.warning(request, text)
    for name in [name for name, each in form.errors.items() if not each]:
        del form.errors[name]
    context["errors"] = AdminErrorList(form, formsets)


def _take_questions(errors: ErrorList) -> list[str]:
    asked = [error for error in errors.as_data() if error.code == ASKED]
    errors.data = [error for error in errors.data if error not in asked]
    return [text for error in asked for text in error.messages]


def _name(condition: Condition, rules: Sequence[AbstractDataRule]) -> str:
    return condition.description or rules_sentence(rules)


def _is_uncountable(stored: Condition | None, condition: Condition) -> bool:
    if not isinstance(stored, BadgeRequirement) or not isinstance(condition, BadgeRequirement):
        return False
    return bool(condition.counted_by) and stored.way != condition.way
