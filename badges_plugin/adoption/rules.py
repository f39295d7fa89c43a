"""Translate the built-in app's rules into ours, where both mean the same.

That app compares texts: ``str(value)`` of the event with the rule's, in which some words stand for "True" and "False".
A key path that an event lacks has the text "None". So some rules never apply there, and others always do; the same text
would mean something else here, and such a rule is not copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from badges_plugin.adoption.found import FoundRule
from badges_plugin.data import ValueKind
from badges_plugin.exceptions import InvalidRule
from badges_plugin.rules import Operator, compile_rule

_TRUE = frozenset({"True", "true", "Yes", "yes", "+"})
_FALSE = frozenset({"False", "false", "No", "no", "-"})


class MeansSomethingElse(Exception):
    """The rule cannot be copied; the message says why, in a sentence for staff."""


@dataclass(frozen=True, slots=True)
class TranslatedRule:
    """A rule of ours."""

    key_path: str
    operator: str
    value: str


def translated(rule: FoundRule, kinds: Mapping[str, ValueKind]) -> TranslatedRule:
    """Return the rule of ours that applies to the same events.

    ``kinds`` are the key paths that rules can use in events of its type. Raises MeansSomethingElse.
    """
    if rule.operator not in (Operator.EQUAL, Operator.NOT_EQUAL):
        raise MeansSomethingElse(
            _("“%(rule)s” never applied: there is no operator “%(operator)s”.") % _names(rule, operator=rule.operator)
        )
    kind = kinds.get(rule.key_path)
    if kind is None:
        raise _differs(rule, _("events have no usable value at “%(key_path)s”") % {"key_path": rule.key_path})
    value = _value(rule, kind)
    try:
        compile_rule(rule.key_path, rule.operator, value, kind)
    except InvalidRule as error:
        raise MeansSomethingElse(
            _("“%(rule)s” is not possible here: %(reason)s") % _names(rule, reason=error)
        ) from error
    return TranslatedRule(rule.key_path, rule.operator, value)


def _value(rule: FoundRule, kind: ValueKind) -> str:
    value, is_word = rule.value, rule.value in _TRUE | _FALSE
    if kind is ValueKind.BOOLEAN:
        if not is_word:
            raise _differs(rule, _("the value is true or false there, and never “%(value)s”") % {"value": value})
        return "true" if value in _TRUE else "false"
    if is_word:
        raise _differs(rule, _("“%(value)s” was read as a truth value, which a text never is") % {"value": value})
    if value != value.strip():
        raise _differs(rule, _("the value begins or ends with blanks"))
    if kind is ValueKind.NUMBER and not _is_plain_number(value):
        raise _differs(rule, _("no number is written “%(value)s” in an event") % {"value": value})
    return value


def _is_plain_number(value: str) -> bool:
    """Whether a text is what Python makes of a number: the only one that was ever found equal."""
    for read in (int, float):
        try:
            if str(read(value)) == value:
                return True
        except ValueError:
            continue
    return False


def _differs(rule: FoundRule, reason: str) -> MeansSomethingElse:
    if rule.operator == Operator.EQUAL:
        text = _("“%(rule)s” never applied: %(reason)s.")
    else:
        text = _("“%(rule)s” applied to every event: %(reason)s.")
    return MeansSomethingElse(text % _names(rule, reason=reason))


def _names(rule: FoundRule, **others: object) -> dict[str, object]:
    return {"rule": rule, **others}
