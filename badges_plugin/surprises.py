"""What is allowed in the set-up of a badge, but may not be what somebody meant.

Warnings are told when a requirement or penalty is saved, when a template is activated, and by the doctor. Some must be
confirmed before: nobody should award those who fail by leaving out a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin import conf, events
from badges_plugin.counting import in_words
from badges_plugin.data import ValueKind
from badges_plugin.domains import PERCENT_GRADE, Domain, Domains, domains
from badges_plugin.earlier import Earlier
from badges_plugin.exceptions import InvalidRule, UnusableEventType
from badges_plugin.models import BadgePenalty, BadgeRequirement, BadgeTemplate
from badges_plugin.models.conditions import OPERATOR_LABELS, EventCondition
from badges_plugin.models.validity import RuleText
from badges_plugin.reading import key_sentence
from badges_plugin.rules import Operator, Rule, compile_rule
from badges_plugin.ruleset import grouped
from badges_plugin.satisfiability import can_apply, conflicts, implies
from badges_plugin.spellings import other_spellings

PASSING_KEY_PATH = "is_passing"


@dataclass(frozen=True)
class Asked:
    """A requirement or penalty as it is stored, or as it is about to be. ``name`` is what people read."""

    name: str
    is_penalty: bool
    event_type: str
    rules: tuple[Rule, ...]
    domains: Domains

    @property
    def can_apply(self) -> bool:
        return can_apply(self.rules, self.domains)


Judged = dict[EventCondition, Asked | None]
"""Stored requirements and penalties, as they are judged."""


def asked(name: str, *, is_penalty: bool, event_type: str, rules: Iterable[RuleText]) -> Asked | None:
    """Return what is judged here, or None where rules or event type cannot be used: that is a problem of its own."""
    try:
        kinds = events.key_paths(event_type, conf.config().ignored_keypaths)
        compiled = tuple(compile_rule(each.key_path, each.operator, each.value, kinds[each.key_path]) for each in rules)
        return Asked(name, is_penalty, event_type, compiled, domains(event_type))
    except (InvalidRule, UnusableEventType, KeyError):
        return None


def stored(condition: EventCondition) -> Asked | None:
    """Return a stored requirement or penalty to be judged. None as well where another badge is needed: no rules."""
    if isinstance(condition, BadgeRequirement) and condition.needs_badge_id is not None:
        return None
    return asked(
        key_sentence(condition),
        is_penalty=isinstance(condition, BadgePenalty),
        event_type=condition.event_type,
        rules=condition.existing_rules(),
    )


def to_confirm(condition: Asked) -> list[str]:
    """Return what must not happen by mistake: who fails is awarded, or who passes loses the badge."""
    if events.get_event_type(condition.event_type).kinds.get(PASSING_KEY_PATH) is not ValueKind.BOOLEAN:
        return []
    unwanted = "true" if condition.is_penalty else "false"
    unwanted_rule = compile_rule(PASSING_KEY_PATH, Operator.EQUAL, unwanted, ValueKind.BOOLEAN)
    if not can_apply([*condition.rules, unwanted_rule], condition.domains):
        return []
    if condition.is_penalty:
        text = _("“%(name)s” also takes the badge from learners who pass. Add the rule: is_passing equal to false.")
    else:
        text = _("Failing learners would also fulfill “%(name)s”. Add the rule: is_passing equal to true.")
    return [text % {"name": condition.name}]


def condition_warnings(condition: Asked, others: Mapping[str, str] | None = None) -> list[str]:
    """Return what can never match, or hardly what was meant, in one requirement or penalty.

    ``others`` is what ``other_spellings`` returns for its keys; looked up here unless the caller knows it.
    """
    if others is None:
        others = other_spellings(named_keys([condition]))
    warnings = []
    if not condition.rules and not condition.is_penalty:
        text = _("Requirement “%(requirement)s” has no rules: every event of its type fulfills it.")
        warnings.append(text % {"requirement": condition.name})
    warnings += _impossible(condition)
    warnings += _unseen(condition)
    return [*warnings, *_misspelled(condition, others)]


def judged(template: BadgeTemplate) -> Judged:
    """Return the requirements and penalties of a template, to be judged. No query where they are prefetched."""
    return {condition: stored(condition) for condition in [*template.requirements.all(), *template.penalties.all()]}


def template_warnings(
    template: BadgeTemplate, judged: Judged, others: Mapping[str, str], undecided: Mapping[int, Earlier]
) -> list[str]:
    """Return everything that may surprise in a template, but for what must be confirmed.

    No query where its conditions are prefetched. ``undecided`` is what ``earlier.undecided`` returns for them, and
    ``others`` what ``other_spellings`` returns for their keys.
    """
    requirements, penalties = list(template.requirements.all()), list(template.penalties.all())
    return [
        *(text for each in judged.values() if each is not None for text in condition_warnings(each, others)),
        *_impossible_groups(requirements, judged),
        *_too_few_values(requirements, judged),
        *(text for penalty in penalties for text in _overlaps(penalty, requirements, judged)),
        *_unused_types(judged),
        *_undecided(requirements, undecided),
    ]


def template_confirmations(judged: Judged) -> list[str]:
    """Return what must be confirmed before a template is active."""
    return [text for condition in judged.values() if condition is not None for text in to_confirm(condition)]


def named_keys(conditions: Iterable[Asked | None]) -> set[str]:
    """Return the keys, of courses say, that rules compare with: somebody may have misspelled them."""
    return {key for condition in conditions if condition is not None for key in _keys(condition)}


def _impossible(condition: Asked) -> Iterator[str]:
    no_value = _("“%(condition)s” waits for “%(value)s” at %(key_path)s: no event has that there. %(example)s")
    contradiction = _("“%(condition)s” can never apply. These rules contradict each other: %(rules)s.")
    for rule in condition.rules:
        for value in sorted(str(value) for value in _values(rule) if not _has(condition, rule, value)):
            names = {"condition": condition.name, "value": value, "key_path": rule.key_path}
            yield no_value % {**names, "example": _example(rule.key_path)}
    for together in conflicts(condition.rules, condition.domains):
        if len(together) > 1:
            sentence = _(" and ").join(_sentence(rule) for rule in together)
            yield contradiction % {"condition": condition.name, "rules": sentence}


def _example(key_path: str) -> str:
    if key_path == PERCENT_GRADE:
        return _("Write 0.8 for 80 percent.")
    return _("A course key looks like course-v1:Org+Course+Run.")


def _values(rule: Rule) -> Iterable[object]:
    """Return the values that a rule waits for, each by itself; a pattern is one of them."""
    if rule.equal_to is not None:
        return rule.equal_to
    return () if rule.operator is Operator.NOT_EQUAL else (rule.wanted,)


def _has(condition: Asked, rule: Rule, value: object) -> bool:
    """Whether events may have the value."""
    if rule.equal_to is None:
        return can_apply([rule], condition.domains)
    if rule.kind is ValueKind.TEXT:
        return condition.domains.get(rule.key_path, Domain()).accepts(str(value))
    return can_apply([compile_rule(rule.key_path, Operator.EQUAL, str(value), rule.kind)], condition.domains)


def _unseen(condition: Asked) -> Iterator[str]:
    text = _("“%(condition)s” compares %(key_path)s with a value that has characters which nobody sees: %(value)s.")
    for rule in condition.rules:
        for value in _values(rule):
            if isinstance(value, str) and not value.isprintable():
                yield text % {"condition": condition.name, "key_path": rule.key_path, "value": ascii(value)}


def _misspelled(condition: Asked, others: Mapping[str, str]) -> Iterator[str]:
    text = _("“%(condition)s” waits for “%(value)s”. Elsewhere it is written “%(other)s”: capital letters matter.")
    for value in sorted(_keys(condition)):
        if value in others:
            yield text % {"condition": condition.name, "value": value, "other": others[value]}


def _keys(condition: Asked) -> set[str]:
    return {
        str(value)
        for rule in condition.rules
        if rule.kind is ValueKind.TEXT and rule.equal_to is not None
        for value in rule.equal_to
        if condition.domains.get(rule.key_path, Domain()).is_key
    }


def _sentence(rule: Rule) -> str:
    values = ", ".join(sorted(str(value) for value in rule.equal_to)) if rule.equal_to else str(rule.wanted)
    return f"{rule.key_path} {OPERATOR_LABELS[rule.operator]} {values}"


def _impossible_groups(requirements: Sequence[BadgeRequirement], judged: Judged) -> Iterator[str]:
    for group in grouped(requirements):
        row = group[0].group
        possible = sum((condition := judged[requirement]) is None or condition.can_apply for requirement in group)
        needed = 1 if row is None else row.needed
        if possible >= needed:
            continue
        if row is not None and needed > 1:
            text = _("Nobody can get the badge: of the group “%(group)s” only %(possible)d can ever be fulfilled.")
            yield text % {"group": row, "possible": possible}
        elif row is not None:
            text = _("Nobody can get the badge: no requirement of the group “%(group)s” can ever be fulfilled.")
            yield text % {"group": row}
        else:
            text = _("Nobody can get the badge: “%(requirement)s” can never be fulfilled.")
            yield text % {"requirement": key_sentence(group[0])}


def _too_few_values(requirements: Sequence[BadgeRequirement], judged: Judged) -> Iterator[str]:
    text = _(
        "Nobody can fulfill “%(requirement)s”: its rules allow %(possible)d values of %(key_path)s, not %(count)d."
    )
    for requirement in requirements:
        condition, key_path = judged[requirement], requirement.counted_by
        if condition is None or not key_path:
            continue
        named = [rule.equal_to for rule in condition.rules if rule.key_path == key_path and rule.equal_to is not None]
        if not named or (possible := len(frozenset.intersection(*named))) >= requirement.count:
            continue
        yield text % {
            "requirement": requirement, "possible": possible, "key_path": key_path, "count": requirement.count,
        }  # fmt: skip


def _overlaps(penalty: BadgePenalty, requirements: Sequence[BadgeRequirement], judged: Judged) -> Iterator[str]:
    always = _("Nobody can fulfill “%(requirement)s”: “%(penalty)s” takes it away with the same event.")
    sometimes = _("Some events fulfill “%(requirement)s” and, by “%(penalty)s”, take it away at once.")
    taken, linked = judged[penalty], {requirement.pk for requirement in penalty.requirements.all()}
    for requirement in requirements:
        given = judged[requirement]
        if requirement.pk not in linked or given is None or taken is None or given.event_type != taken.event_type:
            continue
        if not taken.rules or not given.can_apply or not can_apply([*given.rules, *taken.rules], given.domains):
            continue
        is_always = all(implies(given.rules, rule, given.domains) for rule in taken.rules)
        names = {"requirement": key_sentence(requirement), "penalty": key_sentence(penalty)}
        yield (always if is_always else sometimes) % names


def _unused_types(judged: Iterable[EventCondition]) -> list[str]:
    text = _("Events of type %(event_type)s are not processed: it is not in BADGES_CONFIG.")
    # Whatever is configured, those about badges of this service are heard.
    unused = {condition.event_type for condition in judged} - {*conf.config().events, *conf.BADGE_EVENT_TYPES}
    return [text % {"event_type": event_type} for event_type in sorted(unused)]


def _undecided(requirements: Sequence[BadgeRequirement], found: Mapping[int, Earlier]) -> list[str]:
    return [
        ngettext(
            "%(learners)s learner fulfilled “%(requirement)s” under earlier rules. It does not count until you choose "
            "to keep or forget it, on the page of the requirement.",
            "%(learners)s learners fulfilled “%(requirement)s” under earlier rules. It does not count until you choose "
            "to keep or forget it, on the page of the requirement.",
            found[requirement.pk].learners,
        )
        % {"learners": in_words(found[requirement.pk].learners), "requirement": key_sentence(requirement)}
        for requirement in requirements
        if requirement.pk in found
    ]
