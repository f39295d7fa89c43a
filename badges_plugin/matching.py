"""Find the conditions that apply to an event, by the exact values that they ask for. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from badges_plugin.data import ValueKind, resolve
from badges_plugin.rules import Rule, as_comparable, as_counted


@dataclass(frozen=True)
class CompiledCondition:
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

    exact: dict[tuple[str, ValueKind], dict[object, list[CompiledCondition]]] = field(default_factory=dict)
    others: list[CompiledCondition] = field(default_factory=list)

    def add(self, condition: CompiledCondition) -> None:
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

    def _candidates(self, payload: object) -> Iterable[CompiledCondition]:
        for (key_path, kind), by_value in self.exact.items():
            value = resolve(payload, key_path)
            yield from by_value.get(as_comparable(value, kind), ()) if value is not None else ()
        yield from self.others


def _most_selective(rules: Iterable[Rule]) -> Rule | None:
    exact = [rule for rule in rules if rule.equal_to is not None]
    # A boolean cuts the candidates in half at best; anything else names a course, a mode, an id.
    return min(exact, key=lambda rule: rule.kind is ValueKind.BOOLEAN, default=None)
