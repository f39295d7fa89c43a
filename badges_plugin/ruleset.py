"""The active requirements and penalties, compiled for lookup by event.

Compiled once per change of configuration, in this or another process (see ``models.configuration``): looking
up an event costs one query by primary key, however many templates there are. Conditions that ask for an exact
value are found through a dictionary, so the work in memory does not grow with the templates of other courses
either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from badges_plugin.criteria import Criteria, Group
from badges_plugin.data import BadgingEvent, ValueKind, resolve
from badges_plugin.events import BADGE_AWARDED_TYPE, BADGE_REVOKED_TYPE
from badges_plugin.exceptions import ConfigurationChanged, InvalidRule, UnusableEventType
from badges_plugin.logs import get_logger
from badges_plugin.matching import CompiledCondition, ConditionIndex, Match
from badges_plugin.models import BadgePenalty, BadgeRequirement, BadgeTemplate, RulesetVersion
from badges_plugin.models.conditions import EventCondition
from badges_plugin.models.key_paths import check_counted_by, compile_for
from badges_plugin.rules import Operator, Rule, compile_rule

logger = get_logger(__name__)

BADGE_EVENT_PREFIX = "org.openedx.learning.badge."

OWN_TEMPLATE = "own_template"
"""Key path of the primary key of a badge's template, in events of badges of this service. No other event has it."""


@dataclass(frozen=True)
class CompiledTemplate:
    """An active template and what it asks for."""

    row: BadgeTemplate
    """As it was when the ruleset was compiled; every change of it makes a new ruleset."""
    criteria: Criteria
    needs: frozenset[int] = frozenset()
    """Primary keys of the templates of needed badges."""

    @property
    def id(self) -> int:
        return self.row.pk


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
        needs = frozenset(
            item.needs_badge_id for item in template.requirements.all() if item.needs_badge_id is not None
        )
        templates[template.pk] = CompiledTemplate(template, criteria, needs)
        for requirement in template.requirements.all():
            if requirement.needs_badge_id is None:
                _add(requirements, template, requirement, [requirement.pk])
            else:
                _add_needed_badge(requirements, penalties, requirement)
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
            CompiledCondition(template.pk, frozenset(requirement_ids), rules, _counted_by(condition))
        )


def _counted_by(condition: EventCondition) -> str:
    return condition.counted_by if isinstance(condition, BadgeRequirement) else ""


def _add_needed_badge(
    requirements: dict[str, ConditionIndex], penalties: dict[str, ConditionIndex], requirement: BadgeRequirement
) -> None:
    """The needed badge's award fulfills the requirement, its revocation resets it.

    By the primary key of its template, which only events of this service have: a badge that another service awards, for
    the same template at a provider even, is somebody else's.
    """
    held = compile_rule(OWN_TEMPLATE, Operator.EQUAL, str(requirement.needs_badge_id), ValueKind.NUMBER)
    condition = CompiledCondition(requirement.template_id, frozenset([requirement.pk]), (held,))
    requirements[BADGE_AWARDED_TYPE].add(condition)
    penalties[BADGE_REVOKED_TYPE].add(condition)


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

    @property
    def last(self) -> T | None:
        """Return the value that was made last, perhaps for a token that has changed since."""
        return self._kept[1] if self._kept is not None else None


_compiled = CachedByToken(compile_ruleset)


def current_ruleset() -> Ruleset:
    """Return the ruleset of the configuration as committed now. One query unless the configuration changed."""
    return _compiled.get(RulesetVersion.current())


def last_ruleset() -> Ruleset | None:
    """Return the ruleset that this process used last, if any. No query; it may be outdated."""
    return _compiled.last
