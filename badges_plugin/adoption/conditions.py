"""Requirements and penalties of a template of the built-in app, as ours; all of them, or none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from badges_plugin import api
from badges_plugin.adoption.found import FoundCondition, FoundTemplate
from badges_plugin.adoption.grouping import Grouping, Need
from badges_plugin.adoption.rules import MeansSomethingElse, TranslatedRule, translated
from badges_plugin.criteria import way_of
from badges_plugin.exceptions import UnusableEventType
from badges_plugin.models import (
    BadgePenalty,
    BadgeRequirement,
    BadgeTemplate,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
)
from badges_plugin.models.key_paths import usable_kinds
from badges_plugin.models.requirements import meaning_of
from badges_plugin.ruleset import grouped

_ONE = way_of(1, "")


@dataclass(frozen=True)
class Translation:
    """Rules of ours by the keys of requirements and penalties; and why some cannot be copied, in sentences."""

    requirements: Mapping[int, tuple[TranslatedRule, ...]] = field(default_factory=dict)
    penalties: Mapping[int, tuple[TranslatedRule, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """What never did anything, and is not missed."""


def translate(found: FoundTemplate) -> Translation:
    """Return the conditions of a template as rules of ours."""
    requirements, penalties = {}, {}
    problems, left_out = [], []
    for condition in found.requirements:
        if not condition.rules:
            text = _("Requirement %(number)d has no rules: nobody ever fulfilled it, and here every event would.")
            problems.append(text % {"number": condition.pk})
            continue
        try:
            requirements[condition.pk] = _translated(condition)
        except MeansSomethingElse as reason:
            problems.append(_("Requirement %(number)d: %(reason)s") % {"number": condition.pk, "reason": reason})
    own = {condition.pk for condition in found.requirements}
    for condition in found.penalties:
        if not condition.rules or own.isdisjoint(condition.requirement_ids):
            text = _("Penalty %(number)d has no rules, or no requirements of this badge: it never took anything away.")
            left_out.append(text % {"number": condition.pk})
            continue
        try:
            penalties[condition.pk] = _translated(condition)
        except MeansSomethingElse as reason:
            problems.append(_("Penalty %(number)d: %(reason)s") % {"number": condition.pk, "reason": reason})
    return Translation(requirements, penalties, tuple(problems), tuple(left_out))


def _translated(condition: FoundCondition) -> tuple[TranslatedRule, ...]:
    try:
        kinds = usable_kinds(condition.event_type)
    except UnusableEventType as error:
        raise MeansSomethingElse(str(error)) from error
    return tuple(translated(rule, kinds) for rule in condition.rules)


def alternatives(found: FoundTemplate, grouping: Grouping) -> list[str]:
    """Return, in sentences for staff, which requirements are alternatives."""
    named = {each.pk: each.description or _(" and ").join(map(str, each.rules)) for each in found.requirements}
    return [
        _("%(group)s: %(requirements)s.")
        % {"group": need.name, "requirements": _(" or ").join(f"“{named[pk]}”" for pk in sorted(need.members))}
        for need in grouping.needs
        if len(need.members) > 1
    ]


def confirmations(found: FoundTemplate, translation: Translation) -> list[str]:
    """Return, in sentences for staff, what must be confirmed before a template is active: who fails is awarded, say."""
    texts = []
    for condition in found.requirements:
        rules = translation.requirements.get(condition.pk)
        if rules is not None:
            name = condition.description or _("Requirement %d") % condition.pk
            texts += api.confirmations(name, BadgeRequirement(event_type=condition.event_type), rules)
    for condition in found.penalties:
        rules = translation.penalties.get(condition.pk)
        if rules is not None:
            name = _("Penalty %d") % condition.pk
            texts += api.confirmations(name, BadgePenalty(event_type=condition.event_type), rules)
    return texts


def write(
    template: BadgeTemplate, found: FoundTemplate, translation: Translation, grouping: Grouping
) -> dict[int, BadgeRequirement]:
    """Save the conditions of a template that has none; return the requirements by the keys of those that they were."""
    requirements = {}
    group_of = {pk: need.name for need in grouping.needs for pk in need.members}
    for condition in found.requirements:
        name = group_of[condition.pk]
        requirement = BadgeRequirement.objects.create(
            template=template,
            event_type=condition.event_type,
            description=condition.description,
            group=RequirementGroup.named(template, name) if name else None,
        )
        for rule in translation.requirements[condition.pk]:
            DataRule.objects.create(
                requirement=requirement, key_path=rule.key_path, operator=rule.operator, value=rule.value
            )
        requirements[condition.pk] = requirement
    for condition in found.penalties:
        if condition.pk not in translation.penalties:
            continue
        penalty = BadgePenalty.objects.create(template=template, event_type=condition.event_type)
        penalty.requirements.set([requirements[pk] for pk in condition.requirement_ids if pk in requirements])
        for rule in translation.penalties[condition.pk]:
            PenaltyDataRule.objects.create(
                penalty=penalty, key_path=rule.key_path, operator=rule.operator, value=rule.value
            )
    return requirements


def matching(
    requirements: Sequence[BadgeRequirement], found: FoundTemplate, translation: Translation
) -> dict[int, BadgeRequirement]:
    """Return which of our requirements mean the same, by the keys of those of the built-in app.

    So an interrupted adoption goes on, and a badge that staff set up here themselves gets its learners' progress.
    """
    by_meaning: dict[str, list[BadgeRequirement]] = defaultdict(list)
    for requirement in requirements:
        by_meaning[requirement.digest()].append(requirement)
    matched = {}
    for condition in found.requirements:
        rules = translation.requirements.get(condition.pk)
        if rules and (same := by_meaning[meaning_of(condition.event_type, rules, _ONE, None)]):
            matched[condition.pk] = same.pop(0)
    return matched


def needs_of(requirements: Iterable[BadgeRequirement], matched: Mapping[int, BadgeRequirement]) -> tuple[Need, ...]:
    """Return what our requirements ask for, in the keys of the built-in app; those of no counterpart are negative."""
    keys = {requirement.pk: pk for pk, requirement in matched.items()}
    needs = []
    for members in grouped(requirements):
        row = members[0].group
        numbers = frozenset(keys.get(member.pk, -member.pk) for member in members)
        needs.append(Need(numbers, 1 if row is None else row.needed, "" if row is None else row.name))
    return tuple(needs)


def is_same(needs: Iterable[Need], others: Iterable[Need]) -> bool:
    """Whether two sets of needs ask for the same, whatever groups are called."""

    def asked(some: Iterable[Need]) -> set[tuple[frozenset[int], int]]:
        return {(need.members, need.number) for need in some}

    return asked(needs) == asked(others)
