"""Why an event fulfills what a badge asks for, or does not: rule by rule, with what the event says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from badges_plugin.data import EVENT_TIME, BadgingEvent, resolve
from badges_plugin.exceptions import InvalidRule, UnusableEventType
from badges_plugin.models import BadgePenalty, BadgeTemplate
from badges_plugin.models.key_paths import compile_for
from badges_plugin.models.validity import RuleText
from badges_plugin.reading.asking import Condition, Said, conditions_of, with_requirements
from badges_plugin.reading.composing import is_course_path, percent
from badges_plugin.reading.words import day_and_time, event_label, rule_sentence
from badges_plugin.rules import Operator, Rule, as_counted

_AT_LEAST = (Operator.GREATER, Operator.GREATER_OR_EQUAL)

MAX_VALUE = 200
"""Characters of a value that are told."""


@dataclass(frozen=True)
class RuleTried:
    """One rule. ``found``: what the event says, for people; empty where it says nothing of it.

    ``words``: why it does not match, without the names of fields; empty where only the rule itself can tell.
    """

    sentence: str
    matches: bool
    found: str
    words: str = ""


@dataclass(frozen=True)
class ConditionTried:
    """One requirement or penalty. ``note`` says why it cannot apply where that is not for a rule."""

    id: int
    is_penalty: bool
    sentence: str
    applies: bool
    rules: tuple[RuleTried, ...]
    note: str

    @property
    def differing(self) -> tuple[RuleTried, ...]:
        return tuple(rule for rule in self.rules if not rule.matches)


@dataclass(frozen=True)
class BadgeTried:
    """What a badge asks for, tried with an event."""

    template_id: int
    name: str
    is_active: bool
    conditions: tuple[ConditionTried, ...]


def tried(event: BadgingEvent, template_ids: Collection[int]) -> dict[int, BadgeTried]:
    """Return each requirement and penalty of badges, tried with an event, by the badges' keys. At most nine queries."""
    templates = list(
        with_requirements(template_ids).prefetch_related("penalties", "penalties__rules", "penalties__requirements")
    )
    said = Said(conditions_of(templates))
    return {row.pk: _badge(row, event, said) for row in templates}


def _badge(template: BadgeTemplate, event: BadgingEvent, said: Said) -> BadgeTried:
    requirements = list(template.requirements.all())
    penalties = sorted(template.penalties.all(), key=lambda each: each.pk)
    conditions: list[Condition] = [*requirements, *penalties]
    return BadgeTried(
        template.pk, template.name, template.is_active, tuple(_condition(each, event, said) for each in conditions)
    )


def _condition(condition: Condition, event: BadgingEvent, said: Said) -> ConditionTried:
    is_penalty = isinstance(condition, BadgePenalty)
    rules: tuple[RuleTried, ...] = ()
    note = _other_kind(condition, event)
    if not note:
        rows: Sequence[RuleText] = condition.existing_rules()
        compiled = _compiled(condition.event_type, rows)
        if compiled is None:
            note = _("Its rules cannot be used: they do not fit the events of this type.")
        elif is_penalty and not compiled:
            note = _("A penalty without rules never applies.")
        else:
            rules = tuple(_rule(row, rule, event) for row, rule in zip(rows, compiled, strict=True))
            note = _uncountable(condition, event)
    applies = not note and all(rule.matches for rule in rules)
    return ConditionTried(condition.pk, is_penalty, said.sentence(condition), applies, rules, note)


def _other_kind(condition: Condition, event: BadgingEvent) -> str:
    """Return why an event is not of the kind that is asked for; empty if it is."""
    if condition.event_type == event.type and getattr(condition, "needs_badge_id", None) is None:
        return ""
    if getattr(condition, "needs_badge_id", None) is not None:
        return _("It goes by the badge that it needs, whatever events say.")
    return _("It goes by other events: %(event)s.") % {"event": event_label(condition.event_type)}


def _compiled(event_type: str, rows: Iterable[RuleText]) -> list[Rule] | None:
    try:
        return [compile_for(event_type, row) for row in rows]
    except (InvalidRule, UnusableEventType):
        return None


def _uncountable(condition: Condition, event: BadgingEvent) -> str:
    counted_by = getattr(condition, "counted_by", "")
    if not counted_by or as_counted(resolve(event, counted_by)) is not None:
        return ""
    return _("The event says nothing at %(key_path)s, by which it is counted.") % {"key_path": counted_by}


def _rule(row: RuleText, rule: Rule, event: BadgingEvent) -> RuleTried:
    value, matches = resolve(event, rule.key_path), rule.matches(event)
    words = "" if matches or value is None else _why_not(rule, event, value)
    return RuleTried(rule_sentence(row), matches, _value(value), words)


def _why_not(rule: Rule, event: BadgingEvent, value: object) -> str:
    """Return why an event does not match a rule about what nearly all rules are about; empty for others."""
    if rule.key_path == EVENT_TIME:
        return _("This was at another time than it asks for.")
    if rule.key_path == "is_passing" and isinstance(value, bool):
        return (
            _("It asks for failing, and this is a pass.") if value else _("It asks for a pass, and this is not a pass.")
        )
    if rule.key_path == "percent_grade" and rule.operator in _AT_LEAST and isinstance(rule.wanted, int | float):
        told = {"needed": percent(rule.wanted), "found": percent(value)}
        return _("It needs a grade of %(needed)s, and this is %(found)s.") % told
    if is_course_path(event.type, rule.key_path) and rule.equal_to is not None:
        return _("This is another course.")
    return ""


def _value(value: object) -> str:
    """Return a value of an event for people."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("true") if value else _("false")
    text = day_and_time(value) if isinstance(value, datetime) else str(value)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"
