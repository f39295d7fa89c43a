"""The active requirements and penalties, compiled for lookup by event.

Compiled once per change of configuration, in this or another process (see ``models.configuration``): looking
up an event costs one query by primary key, however many templates there are. Conditions that ask for an exact
value are found through a dictionary, so the work in memory does not grow with the templates of other courses
either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from badges_plugin.criteria import Criteria, Group
from badges_plugin.data import BadgingEvent, ValueKind, resolve
from badges_plugin.exceptions import ConfigurationChanged, InvalidRule, UnusableEventType
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgePenalty, BadgeRequirement, BadgeTemplate, RulesetVersion
from badges_plugin.models.key_paths import check_counted_by, compile_for
from badges_plugin.models.requirements import EventCondition
from badges_plugin.rules import Rule, as_comparable, as_counted

logger = get_logger(__name__)

BADGE_EVENT_PREFIX = "org.openedx.learning.badge."


@dataclass(frozen=True)
class CompiledTemplate:
    """An active template and what it asks for."""

    row: BadgeTemplate
    """As it was when the ruleset was compiled; every change of it makes a new ruleset."""
    criteria: Criteria

    @property
    def id(self) -> int:
        return self.row.pk


@dataclass(frozen=True)
class Condition:
    """A compiled requirement or penalty. ``requirement_ids`` are the fulfillments it sets or resets."""

    template_id: int
    requirement_ids: frozenset[int]
    rules: tuple[Rule, ...]
    counted_by: str = ""
    """Of a requirement: the key path whose values it counts. An event without a value there does not apply."""

    def applies(self, payload: object) -> bool:
        """Whether an event, or what it carries, satisfies all rules and can be counted."""
        if self.counted_by and as_counted(resolve(payload, self.counted_by)) is None:
            return False
        return all(rule.matches(payload) for rule in self.rules)


@dataclass(frozen=True)
class Match:
    """What an event means: which requirements it fulfills and which it takes away, by template."""

    fulfilled: Mapping[int, frozenset[int]]
    penalized: Mapping[int, frozenset[int]]

    def __bool__(self) -> bool:
        return bool(self.fulfilled or self.penalized)

    @property
    def template_ids(self) -> frozenset[int]:
        return frozenset(self.fulfilled) | frozenset(self.penalized)

    def only(self, template_ids: Collection[int]) -> Match:
        """Return what it means for these templates."""
        return Match(
            fulfilled={pk: ids for pk, ids in self.fulfilled.items() if pk in template_ids},
            penalized={pk: ids for pk, ids in self.penalized.items() if pk in template_ids},
        )

    def outcomes(self, template_id: int) -> dict[int, bool]:
        """Return what becomes of each touched requirement; where one event says both, the penalty wins."""
        outcomes = dict.fromkeys(self.fulfilled.get(template_id, ()), True)
        outcomes.update(dict.fromkeys(self.penalized.get(template_id, ()), False))
        return outcomes


@dataclass
class ConditionIndex:
    """The conditions on one event type, by the exact values they ask for where they ask for any."""

    exact: dict[tuple[str, ValueKind], dict[object, list[Condition]]] = field(default_factory=dict)
    others: list[Condition] = field(default_factory=list)

    def add(self, condition: Condition) -> None:
        rule = _most_selective(condition.rules)
        if rule is None or rule.equal_to is None:
            self.others.append(condition)
            return
        by_value = self.exact.setdefault((rule.key_path, rule.kind), {})
        for value in rule.equal_to:
            by_value.setdefault(value, []).append(condition)

    def find(self, payload: object) -> dict[int, frozenset[int]]:
        """Return the requirement ids, by template, of all conditions that apply to an event, or to what it carries."""
        found: dict[int, frozenset[int]] = defaultdict(frozenset)
        for condition in self._candidates(payload):
            if condition.applies(payload):
                found[condition.template_id] |= condition.requirement_ids
        return dict(found)

    def _candidates(self, payload: object) -> Iterable[Condition]:
        for (key_path, kind), by_value in self.exact.items():
            value = resolve(payload, key_path)
            yield from by_value.get(as_comparable(value, kind), ()) if value is not None else ()
        yield from self.others


@dataclass(frozen=True)
class Ruleset:
    """Everything that is needed to say what an event means, as of a token of the configuration."""

    token: UUID | None

    templates: Mapping[int, CompiledTemplate]
    requirements: Mapping[str, ConditionIndex]
    penalties: Mapping[str, ConditionIndex]

    def must_be_current(self) -> None:
        """Raise ConfigurationChanged when it is not any more. One query."""
        if RulesetVersion.current() != self.token:
            raise ConfigurationChanged("The configuration of badges was changed.")

    def match(self, event: BadgingEvent) -> Match:
        """Return which requirements and penalties of active templates apply to the event. No query."""
        own = self._own_templates(event)
        return Match(
            fulfilled=_without(own, self.requirements, event),
            penalized=_without(own, self.penalties, event),
        )

    def _own_templates(self, event: BadgingEvent) -> frozenset[int]:
        # A badge may depend on another badge, never on itself: its own award must not take it away and so on.
        if not event.type.startswith(BADGE_EVENT_PREFIX):
            return frozenset()
        uuid = str(resolve(event.payload, "template.uuid"))
        return frozenset(template.id for template in self.templates.values() if str(template.row.uuid) == uuid)


def _without(
    own: frozenset[int], index: Mapping[str, ConditionIndex], event: BadgingEvent
) -> dict[int, frozenset[int]]:
    if event.type not in index:
        return {}
    found = index[event.type].find(event)
    return {template_id: ids for template_id, ids in found.items() if template_id not in own}


def _most_selective(rules: Iterable[Rule]) -> Rule | None:
    exact = [rule for rule in rules if rule.equal_to is not None]
    # A boolean cuts the candidates in half at best; anything else names a course, a mode, an id.
    return min(exact, key=lambda rule: rule.kind is ValueKind.BOOLEAN, default=None)


def compile_ruleset(token: UUID | None = None) -> Ruleset:
    """Read the active configuration. A fixed number of queries.

    A condition that no longer compiles (an event type or key path that a new release of openedx-events lacks,
    or that is now ignored by configuration) never applies, and is logged: it is broken, not false.
    """
    templates: dict[int, CompiledTemplate] = {}
    requirements: dict[str, ConditionIndex] = defaultdict(ConditionIndex)
    penalties: dict[str, ConditionIndex] = defaultdict(ConditionIndex)
    active = BadgeTemplate.objects.filter(is_active=True).prefetch_related(
        "requirements__rules", "requirements__group", "penalties__rules", "penalties__requirements"
    )
    for template in active:
        own = {requirement.pk for requirement in template.requirements.all()}
        criteria = criteria_of(template.requirements.all(), in_order=template.in_order)
        templates[template.pk] = CompiledTemplate(template, criteria)
        for requirement in template.requirements.all():
            _add(requirements, template, requirement, [requirement.pk])
        for penalty in template.penalties.all():
            resets = own & {linked.pk for linked in penalty.requirements.all()}
            if resets and penalty.rules.all():
                _add(penalties, template, penalty, resets)
            else:
                logger.error(
                    "Penalty %s of badge template %s has no rules or no requirements; it never applies.",
                    penalty.pk,
                    template.pk,
                )
    return Ruleset(token, templates, dict(requirements), dict(penalties))


def grouped(requirements: Iterable[BadgeRequirement]) -> list[list[BadgeRequirement]]:
    """Return the requirements by group, in the order of their positions; one without a group is alone.

    Every group must be fulfilled. Groups of the same position are in the order of their oldest requirements.
    """
    members: dict[object, list[BadgeRequirement]] = defaultdict(list)
    for requirement in requirements:
        alone = requirement.group_id is None
        members[alone, requirement.pk if alone else requirement.group_id].append(requirement)
    return sorted(members.values(), key=lambda group: (_position(group[0]), min(each.pk for each in group)))


def criteria_of(requirements: Iterable[BadgeRequirement], *, in_order: bool) -> Criteria:
    """Return what requirements of one template ask for. No query where rules and groups are prefetched."""
    return Criteria(tuple(map(_group, grouped(requirements))), in_order)


def _group(members: Sequence[BadgeRequirement]) -> Group:
    row, criteria = members[0].group, tuple(requirement.criterion() for requirement in members)
    return Group(criteria) if row is None else Group(criteria, row.needed, row.pk)


def _position(requirement: BadgeRequirement) -> int:
    return requirement.position if requirement.group is None else requirement.group.position


def _add(
    index: dict[str, ConditionIndex],
    template: BadgeTemplate,
    condition: BadgeRequirement | BadgePenalty,
    requirement_ids: Iterable[int],
) -> None:
    rules = _compile_rules(template, condition)
    if rules is not None:
        index[condition.event_type].add(
            Condition(template.pk, frozenset(requirement_ids), rules, _counted_by(condition))
        )


def _counted_by(condition: EventCondition) -> str:
    return condition.counted_by if isinstance(condition, BadgeRequirement) else ""


def _compile_rules(template: BadgeTemplate, condition: EventCondition) -> tuple[Rule, ...] | None:
    try:
        check_counted_by(condition.event_type, _counted_by(condition))
        return tuple(compile_for(condition.event_type, rule) for rule in condition.existing_rules())
    except (InvalidRule, UnusableEventType) as error:
        logger.error(
            "%s %s of badge template %s cannot be evaluated and never applies: %s",
            type(condition).__name__,
            condition.pk,
            template.pk,
            error,
        )
        return None


T = TypeVar("T")


class CachedByToken(Generic[T]):
    """Keeps what ``make`` returned for as long as the token stays the same."""

    def __init__(self, make: Callable[[UUID | None], T]) -> None:
        self._make = make
        self._kept: tuple[UUID, T] | None = None

    def get(self, token: UUID | None) -> T:
        """Return the value for a token; without one (nothing was ever configured) nothing is kept."""
        if token is None:
            return self._make(token)
        kept = self._kept
        if kept is None or kept[0] != token:
            # The token was read first: what is compiled now is at least as new, and at worst compiled again.
            kept = self._kept = (token, self._make(token))
        return kept[1]


_compiled = CachedByToken(compile_ruleset)


def current_ruleset() -> Ruleset:
    """Return the ruleset of the configuration as committed now. One query unless the configuration changed."""
    return _compiled.get(RulesetVersion.current())
