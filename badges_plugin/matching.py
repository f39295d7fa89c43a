"""Find the conditions that apply to an event, by the exact values that they ask for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from badges_plugin.data import ValueKind, resolve
from badges_plugin.rules import Rule, as_comparable, as_counted


class CompiledCondition(NamedTuple):
    """A compiled requirement or penalty. ``requirement_ids`` are the fulfillments it sets or resets."""

    template_id: int
    # A tuple takes a quarter of the memory of a set, and there is one for each requirement.
    requirement_ids: tuple[int, ...]
    rules: tuple[Rule, ...]
    """Those that must apply; in an index, the ones that it has not decided."""
    counted_by: str = ""
    """Of a requirement: the key path whose values it counts. An event without a value there does not apply."""

    def applies(self, payload: object) -> bool:
        """Whether an event, or what it carries, satisfies all rules and can be counted."""
        if self.counted_by and as_counted(resolve(payload, self.counted_by)) is None:
            return False
        for rule in self.rules:  # noqa: SIM110  faster than all(), and asked of every event
            if not rule.matches(payload):
                return False
        return True


class FoundBy(NamedTuple):
    """The only values that satisfy a rule of a condition."""

    key_path: str
    kind: ValueKind
    values: Collection[object]


@dataclass(frozen=True)
class Match:
    """What an event means: which requirements it fulfills and which it takes away, by template."""

    fulfilled: Mapping[int, frozenset[int]]
    penalized: Mapping[int, frozenset[int]]

    def __bool__(self) -> bool:
        return bool(self.fulfilled or self.penalized)

    @cached_property
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


class Comparables:
    """The values in an event by which conditions are found, in the form in which they are compared, each read once."""

    def __init__(self, payload: object) -> None:
        self._payload = payload
        self._known: dict[str, tuple[ValueKind, object]] = {}

    def at(self, key_path: str, kind: ValueKind) -> object:
        """Return the value at a key path; None if there is none of that kind."""
        known = self._known.get(key_path)
        if known is None or known[0] is not kind:
            value = resolve(self._payload, key_path)
            known = self._known[key_path] = kind, None if value is None else as_comparable(value, kind)
        return known[1]


ByValue = dict[object, list[CompiledCondition]]
ValuesOf = dict[int, list[object]]
"""The exact values that templates ask for, so that their conditions are found again."""


@dataclass
class ConditionIndex:
    """The conditions on one event type, by the exact values they ask for where they ask for any."""

    exact: dict[tuple[str, ValueKind], ByValue] = field(default_factory=dict)
    asked: dict[tuple[str, ValueKind], ValuesOf] = field(default_factory=dict)
    others: list[CompiledCondition] = field(default_factory=list)

    def add(self, condition: CompiledCondition, found_by: FoundBy | None = None) -> None:
        """Take up a condition. ``found_by`` stands for a rule that is not among its rules; without it one is chosen.

        The rule that it is found by is not kept: the value that was looked up satisfies it.
        """
        if found_by is None:
            rule = _most_selective(condition.rules)
            if rule is None or rule.equal_to is None:
                self.others.append(condition)
                return
            found_by = FoundBy(rule.key_path, rule.kind, rule.equal_to)
            condition = condition._replace(rules=tuple([each for each in condition.rules if each is not rule]))
        place = found_by.key_path, found_by.kind
        if place not in self.exact:
            self.exact[place], self.asked[place] = {}, {}
        by_value, values_of = self.exact[place], self.asked[place]
        values_of.setdefault(condition.template_id, []).extend(found_by.values)
        for value in found_by.values:
            if value in by_value:
                by_value[value].append(condition)
            else:
                by_value[value] = [condition]

    def with_changes(self, template_ids: Collection[int], changes: ConditionIndex) -> ConditionIndex:
        """Return an index with other conditions of some templates. This one stays as it is."""
        new = ConditionIndex(others=[*_of_others(self.others, template_ids), *changes.others])
        for place in self.exact | changes.exact:
            values_of = self.asked.get(place, {})
            touched = {value for pk in template_ids for value in values_of.get(pk, ())}
            added = changes.exact.get(place, {})
            if by_value := _replaced(self.exact.get(place, {}), touched, template_ids, added):
                new.exact[place] = by_value
                new.asked[place] = _without(values_of, template_ids) | changes.asked.get(place, {})
        return new

    def __bool__(self) -> bool:
        return bool(self.exact or self.others)

    @property
    def template_ids(self) -> frozenset[int]:
        """The templates that have conditions here."""
        return frozenset().union(*self.asked.values(), [each.template_id for each in self.others])

    def find(self, payload: object, comparables: Comparables | None = None) -> dict[int, frozenset[int]]:
        """Return the requirement ids, by template, of all conditions that apply to an event, or to what it carries.

        ``comparables`` are the event's; another index may have read some of them.
        """
        found: dict[int, frozenset[int]] = {}
        for condition in self._candidates(comparables or Comparables(payload)):
            if condition.applies(payload):
                ids = condition.requirement_ids
                found[condition.template_id] = found.get(condition.template_id, frozenset()).union(ids)
        return found

    def _candidates(self, comparables: Comparables) -> Sequence[CompiledCondition]:
        candidates = self.others
        for (key_path, kind), by_value in self.exact.items():
            value = comparables.at(key_path, kind)
            if value is not None and (conditions := by_value.get(value)):
                candidates = [*conditions, *candidates] if candidates else conditions
        return candidates


def _replaced(by_value: ByValue, touched: Collection[object], template_ids: Collection[int], added: ByValue) -> ByValue:
    """Return a copy with other conditions of some templates, which had theirs at the values that are ``touched``.

    Most of the lists are shared, so none is changed.
    """
    copy = by_value.copy()
    for value in {*touched, *added}:
        conditions = [*_of_others(by_value.get(value, ()), template_ids), *added.get(value, ())]
        if conditions:
            copy[value] = conditions
        else:
            del copy[value]
    return copy


def _without(values_of: ValuesOf, template_ids: Collection[int]) -> ValuesOf:
    copy = values_of.copy()
    for pk in template_ids:
        copy.pop(pk, None)
    return copy


def _of_others(conditions: Iterable[CompiledCondition], template_ids: Collection[int]) -> list[CompiledCondition]:
    return [each for each in conditions if each.template_id not in template_ids]


def _most_selective(rules: Iterable[Rule]) -> Rule | None:
    exact = [rule for rule in rules if rule.equal_to is not None]
    # A boolean cuts the candidates in half at best; anything else names a course, a mode, an id.
    return min(exact, key=lambda rule: rule.kind is ValueKind.BOOLEAN, default=None)
