"""The active requirements and penalties, compiled for lookup by event.

Kept in memory, and brought up to date by the templates that changed since, in this or another process (see
``models.versions``): looking up an event costs one query by primary key, however many templates there are. Conditions
that ask for an exact value are found through a dictionary, so the work in memory does not grow with the templates of
other courses either.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from badges_plugin import conf
from badges_plugin.compiling import OWN_TEMPLATE, CompiledTemplate, Condition, compiled_templates, in_groups
from badges_plugin.criteria import Criteria, Group
from badges_plugin.data import BadgingEvent, resolve
from badges_plugin.exceptions import ConfigurationChanged
from badges_plugin.matching import Comparables, ConditionIndex, Match
from badges_plugin.models import BadgeRequirement, RulesetChange, RulesetVersion

__all__ = [
    "OWN_TEMPLATE",
    "CompiledTemplate",
    "Ruleset",
    "compile_ruleset",
    "criteria_of",
    "current_ruleset",
    "grouped",
    "is_about_badges",
    "last_ruleset",
]

_BADGE_EVENT_PREFIX = "org.openedx.learning.badge."


def is_about_badges(event_type: str) -> bool:
    """Whether events of this type tell of badges that were awarded or revoked."""
    return event_type.startswith(_BADGE_EVENT_PREFIX)


@dataclass(frozen=True)
class Ruleset:
    """Everything that is needed to say what an event means, as of a token of the configuration. It never changes."""

    token: int | None

    templates: Mapping[int, CompiledTemplate]
    requirements: Mapping[str, ConditionIndex]
    penalties: Mapping[str, ConditionIndex]

    def must_be_current(self, template_ids: Collection[int] | None = None) -> None:
        """Raise ConfigurationChanged when one of these templates, or of all, was changed. One query, seldom two.

        Whatever else was changed is no reason to undo work that these templates are enough for.
        """
        if RulesetVersion.current() == self.token:
            return
        changed = None if self.token is None or template_ids is None else RulesetChange.since(self.token)
        if changed is None or template_ids is None or not changed.isdisjoint(template_ids):
            raise ConfigurationChanged("The configuration of badges was changed.")

    def hears(self, event_type: str) -> bool:
        """Whether anything is asked of events of this type."""
        return event_type in self.requirements or event_type in self.penalties

    @cached_property
    def hearing(self) -> frozenset[int]:
        """The templates that other badges matter to: those with conditions on events about badges."""
        indexes = [*self.requirements.items(), *self.penalties.items()]
        return frozenset().union(*(index.template_ids for event_type, index in indexes if is_about_badges(event_type)))

    def match(self, event: BadgingEvent) -> Match:
        """Return which requirements and penalties of active templates apply to the event. No query."""
        comparables = Comparables(event)
        return Match(
            fulfilled=self._without_own(self.requirements, event, comparables),
            penalized=self._without_own(self.penalties, event, comparables),
        )

    def _without_own(
        self, index: Mapping[str, ConditionIndex], event: BadgingEvent, comparables: Comparables
    ) -> dict[int, frozenset[int]]:
        # A badge may depend on another badge, never on itself: its own award must not take it away and so on.
        found = index[event.type].find(event, comparables) if event.type in index else {}
        if not found or not is_about_badges(event.type):
            return found
        uuid = str(resolve(event.payload, "template.uuid"))
        return {pk: ids for pk, ids in found.items() if str(self.templates[pk].row.uuid) != uuid}

    def with_changes(self, token: int, changed: Collection[int]) -> Ruleset:
        """Return the ruleset as of a token, before which only these templates were changed. This one stays as it is."""
        new, templates = compile_ruleset(token, changed), dict(self.templates)
        for pk in changed:
            templates.pop(pk, None)
        templates.update(new.templates)
        return Ruleset(
            token,
            templates,
            _with_changes(self.requirements, changed, new.requirements),
            _with_changes(self.penalties, changed, new.penalties),
        )


def _with_changes(
    index: Mapping[str, ConditionIndex], changed: Collection[int], added: Mapping[str, ConditionIndex]
) -> dict[str, ConditionIndex]:
    new = {
        event_type: index.get(event_type, _EMPTY).with_changes(changed, added.get(event_type, _EMPTY))
        for event_type in {*index, *added}
    }
    return {event_type: conditions for event_type, conditions in new.items() if conditions}


_EMPTY = ConditionIndex()


def compile_ruleset(
    token: int | None = None, template_ids: Collection[int] | None = None, *, with_inactive: bool = False
) -> Ruleset:
    """Read the whole active configuration, or that of some templates. At most seven queries for each 1,000 of them.

    ``with_inactive``: as if all of them were active, to try what they would do.
    """
    templates: dict[int, CompiledTemplate] = {}
    requirements: dict[str, ConditionIndex] = defaultdict(ConditionIndex)
    penalties: dict[str, ConditionIndex] = defaultdict(ConditionIndex)
    with _without_collections():
        for compiled in compiled_templates(template_ids, with_inactive=with_inactive):
            templates[compiled.template.id] = compiled.template
            _add(compiled.requirements, requirements)
            _add(compiled.penalties, penalties)
    return Ruleset(token, templates, dict(requirements), dict(penalties))


def _add(conditions: Iterable[Condition], by_type: dict[str, ConditionIndex]) -> None:
    for event_type, condition, found_by in conditions:
        by_type[event_type].add(condition, found_by)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Keep the garbage collector from looking through what is being made: a third of the time, and all of it stays."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def grouped(requirements: Iterable[BadgeRequirement]) -> list[list[BadgeRequirement]]:
    """Return the requirements by group, in the order of their positions. Every group must be fulfilled."""
    return in_groups(requirements, lambda each: (each.group_id, _position(each), each.pk))


def criteria_of(requirements: Iterable[BadgeRequirement], *, in_order: bool) -> Criteria:
    """Return what requirements of one template ask for. No query where rules and groups are prefetched."""
    return Criteria(tuple(map(_group, grouped(requirements))), in_order)


def _group(members: Sequence[BadgeRequirement]) -> Group:
    row, criteria = members[0].group, tuple(requirement.criterion() for requirement in members)
    return Group(criteria) if row is None else Group(criteria, row.needed, row.pk)


def _position(requirement: BadgeRequirement) -> int:
    return requirement.position if requirement.group is None else requirement.group.position


_last: tuple[conf.BadgesConfig, Ruleset] | None = None


def current_ruleset() -> Ruleset:
    """Return the ruleset of the configuration as committed now.

    One query unless the configuration changed; then only the templates that changed are compiled, where the trail names
    them.
    """
    global _last
    token, config, last = RulesetVersion.current(), conf.config(), _last
    if token is None:  # nothing was ever configured
        return compile_ruleset()
    if last is not None and last[0] is config and last[1].token == token:
        return last[1]
    # The token was read first: what is compiled now is at least as new, and at worst compiled again.
    new = _renewed(last[1], token) if last is not None and last[0] is config else compile_ruleset(token)
    _last = (config, new)
    return new


def _renewed(known: Ruleset, token: int) -> Ruleset:
    changed = RulesetChange.since(known.token) if known.token is not None else None
    return compile_ruleset(token) if changed is None else known.with_changes(token, changed)


def last_ruleset() -> Ruleset | None:
    """Return the ruleset that this process used last, if any. No query; it may be outdated."""
    return _last[1] if _last is not None else None
