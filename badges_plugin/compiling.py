"""Read active templates and compile what they ask for: small objects, from a fixed number of queries.

Plain rows in the order of their templates, not model instances with prefetched relations: on a site with 50,000
requirements that takes a twentieth of the time and a seventh of the memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet

from badges_plugin.criteria import Criteria, Criterion, Group, way_of
from badges_plugin.data import ValueKind
from badges_plugin.events import BADGE_AWARDED_TYPE, BADGE_REVOKED_TYPE
from badges_plugin.exceptions import InvalidRule, UnusableEventType
from badges_plugin.logs import get_logger
from badges_plugin.matching import CompiledCondition
from badges_plugin.models import BadgePenalty, BadgeRequirement, BadgeTemplate, DataRule, PenaltyDataRule
from badges_plugin.models.key_paths import check_counted_by, compile_among, usable_kinds
from badges_plugin.models.requirements import NeededBadge
from badges_plugin.models.validity import Validity, digest, digest_of_meaning, fingerprint
from badges_plugin.rules import Operator, Rule, compile_rule

logger = get_logger(__name__)

OWN_TEMPLATE = "own_template"
"""Key path of the primary key of a badge's template, in events of badges of this service. No other event has it."""

Meaning = tuple[str, ...]
"""A rule in its canonical form."""

_AT_ONCE = 2000
_NOTHING_KEPT: Mapping[str, Sequence[str]] = {}
_NOTHING_FORGOTTEN: Mapping[str, int] = {}


@dataclass(slots=True)
class CompiledTemplate:
    """An active template and what it asks for."""

    id: int
    criteria: Criteria
    needs: frozenset[int]
    """Primary keys of the templates of needed badges."""
    _values: tuple[Any, ...] = field(repr=False)
    _row: BadgeTemplate | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def row(self) -> BadgeTemplate:
        """Return the template as it was when it was compiled. No query; most templates are never asked for it."""
        if self._row is None:
            self._row = BadgeTemplate.from_db(DEFAULT_DB_ALIAS, _columns(), self._values)
        return self._row


Conditions = list[tuple[str, CompiledCondition]]
"""Conditions with their event types."""


class Compiled(NamedTuple):
    """One template, and what fulfills its requirements and takes them away."""

    template: CompiledTemplate
    requirements: Conditions
    penalties: Conditions


_RuleRow = tuple[int, int, str, str, str]
"""Primary keys of the template and of the requirement or penalty; key path, operator and value."""


class _RuleText(NamedTuple):
    key_path: str
    operator: str
    value: str


class _RequirementRow(NamedTuple):
    template_id: int
    pk: int
    event_type: str
    how_many: int
    counted_by: str
    position: int
    needs_badge_id: int | None
    group_id: int | None
    needed: int | None
    group_position: int | None

    @property
    def turn(self) -> int:
        return self.position if self.group_position is None else self.group_position


_REQUIREMENT_COLUMNS = (
    "template_id", "pk", "event_type", "count", "counted_by", "position", "needs_badge_id",
    "group_id", "group__needed", "group__position",
)  # fmt: skip


def compiled_templates(template_ids: Collection[int] | None = None) -> Iterator[Compiled]:
    """Yield the active templates, or those of these, compiled. Seven queries.

    A condition that no longer compiles (an event type or key path that a new release of openedx-events lacks,
    or that is now ignored by configuration) never applies, and is logged: it is broken, not false.
    """
    read = _Reader(template_ids)
    compiler = _Compiler(read)
    for values in read.templates:
        yield compiler.compiled(values)


class _Stream:
    """Rows in the order of the primary keys of templates, which are their first columns."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, template_id: int) -> list[Any]:
        """Return the rows of one template; those of earlier ones, if any, are passed over."""
        found = []
        while self._next is not None and self._next[0] <= template_id:
            if self._next[0] == template_id:
                found.append(self._next)
            self._next = next(self._rows, None)
        return found


class _Reader:
    """The rows of active templates, each kind by one query."""

    def __init__(self, template_ids: Collection[int] | None) -> None:
        self._ids = template_ids
        links = BadgePenalty.requirements.through.objects.all()
        self.templates = self._rows(BadgeTemplate.objects.all(), "", *_columns())
        self.requirements = self._stream(BadgeRequirement.objects.all(), "template", *_REQUIREMENT_COLUMNS[1:])
        # Of most requirements nothing was ever decided, and reading so from JSON takes a fifth of the whole time.
        decided = BadgeRequirement.objects.exclude(kept_rules={}, forgotten_rules={})
        self.decisions = self._stream(decided, "template", "pk", "kept_rules", "forgotten_rules")
        self.rules = self._stream(
            DataRule.objects.all(), "requirement__template", "requirement_id", "key_path", "operator", "value"
        )
        self.penalties = self._stream(BadgePenalty.objects.all(), "template", "pk", "event_type")
        self.penalty_rules = self._stream(
            PenaltyDataRule.objects.all(), "penalty__template", "penalty_id", "key_path", "operator", "value"
        )
        self.links = self._stream(links, "badgepenalty__template", "badgepenalty_id", "badgerequirement_id")

    def _stream(self, rows: QuerySet[Any], path: str, *columns: str) -> _Stream:
        return _Stream(self._rows(rows, f"{path}__", f"{path}_id", *columns))

    def _rows(self, rows: QuerySet[Any], prefix: str, *columns: str) -> Iterator[Any]:
        rows = rows.filter(**{f"{prefix}is_active": True})
        if self._ids is not None:
            rows = rows.filter(**{f"{prefix}pk__in": list(self._ids)})
        return rows.order_by(f"{prefix}pk", "pk").values_list(*columns).iterator(chunk_size=_AT_ONCE)


class _Compiler:
    """Compiles templates. Many of them have the same rules, which are compiled once."""

    def __init__(self, read: _Reader) -> None:
        self._read = read
        self._check = lru_cache(maxsize=1000)(check_counted_by)
        self._kinds = cache(usable_kinds)
        self._rule = lru_cache(maxsize=1000)(self._rule_and_meaning)

    def compiled(self, values: tuple[Any, ...]) -> Compiled:
        """Compile the next template of the stream."""
        columns = dict(zip(_columns(), values, strict=True))
        pk = columns["id"]
        rows = [_RequirementRow(*row) for row in self._read.requirements.of(pk)]
        rules = _by_condition(self._read.rules.of(pk))
        decisions = {row[1]: row[2:] for row in self._read.decisions.of(pk)}
        criteria: list[tuple[_RequirementRow, Criterion]] = []
        fulfilling: Conditions = []
        resetting: Conditions = []
        for row in rows:
            if row.needs_badge_id is not None:
                meaning, condition = _needed_badge(row, row.needs_badge_id)
                fulfilling.append((BADGE_AWARDED_TYPE, condition))
                resetting.append((BADGE_REVOKED_TYPE, condition))
            else:
                meaning, found = self._requirement(row, rules.get(row.pk, ()))
                fulfilling += [(row.event_type, found)] if found is not None else []
            criteria.append((row, _criterion(row, meaning, *decisions.get(row.pk, ()))))
        resetting += self._penalties(pk, {row.pk for row in rows})
        needs = frozenset(row.needs_badge_id for row in rows if row.needs_badge_id is not None)
        template = CompiledTemplate(pk, _criteria(criteria, in_order=columns["in_order"]), needs, values)
        return Compiled(template, fulfilling, resetting)

    def _requirement(self, row: _RequirementRow, rules: Sequence[_RuleRow]) -> tuple[str, CompiledCondition | None]:
        way = way_of(row.how_many, row.counted_by)
        found = self._rules("BadgeRequirement", row.pk, row.template_id, row.event_type, rules, row.counted_by)
        if found is None:
            return digest(row.event_type, [_RuleText(*rule[2:]) for rule in rules], way), None
        condition = CompiledCondition(row.template_id, (row.pk,), tuple([rule for rule, _ in found]), row.counted_by)
        return digest_of_meaning(row.event_type, [meaning for _, meaning in found], way), condition

    def _penalties(self, template_id: int, own: Collection[int]) -> Iterator[tuple[str, CompiledCondition]]:
        rules, linked = _by_condition(self._read.penalty_rules.of(template_id)), defaultdict(list)
        for _, penalty_id, requirement_id in self._read.links.of(template_id):
            if requirement_id in own:
                linked[penalty_id].append(requirement_id)
        for _, pk, event_type in self._read.penalties.of(template_id):
            if not rules.get(pk) or not linked[pk]:
                logger.error(
                    "Penalty %s of badge template %s has no rules or no requirements; it never applies.",
                    pk,
                    template_id,
                )
                continue
            found = self._rules("BadgePenalty", pk, template_id, event_type, rules[pk])
            if found is not None:
                yield event_type, CompiledCondition(template_id, tuple(linked[pk]), tuple(rule for rule, _ in found))

    def _rules(
        self, name: str, pk: int, template_id: int, event_type: str, rows: Sequence[_RuleRow], counted_by: str = ""
    ) -> list[tuple[Rule, Meaning]] | None:
        try:
            self._check(event_type, counted_by)
            return [self._rule(event_type, *row[2:]) for row in rows]
        except (InvalidRule, UnusableEventType) as error:
            text = "%s %s of badge template %s cannot be evaluated and never applies: %s"
            logger.error(text, name, pk, template_id, error)
            return None

    def _rule_and_meaning(self, event_type: str, key_path: str, operator: str, value: str) -> tuple[Rule, Meaning]:
        rule = compile_among(self._kinds(event_type), event_type, _RuleText(key_path, operator, value))
        return rule, rule.canonical


def _needed_badge(row: _RequirementRow, needed: int) -> tuple[str, CompiledCondition]:
    """The needed badge's award fulfills the requirement, its revocation resets it.

    By the primary key of its template, which only events of this service have: a badge that another service awards, for
    the same template at a provider even, is somebody else's.
    """
    held = compile_rule(OWN_TEMPLATE, Operator.EQUAL, str(needed), ValueKind.NUMBER)
    return digest(row.event_type, [NeededBadge(str(needed))]), CompiledCondition(row.template_id, (row.pk,), (held,))


def _criterion(
    row: _RequirementRow,
    meaning: str,
    kept: Mapping[str, Sequence[str]] = _NOTHING_KEPT,
    forgotten: Mapping[str, int] = _NOTHING_FORGOTTEN,
) -> Criterion:
    current = fingerprint(meaning, forgotten)
    validity = Validity(current, frozenset(kept.get(current, ())), forgotten)
    return Criterion(row.pk, validity, row.how_many, row.counted_by, is_lasting=row.needs_badge_id is not None)


def _criteria(criteria: Iterable[tuple[_RequirementRow, Criterion]], *, in_order: bool) -> Criteria:
    """Return what ``ruleset.criteria_of`` does, for plain rows."""
    members: dict[tuple[bool, int], list[tuple[_RequirementRow, Criterion]]] = {}
    for row, criterion in criteria:
        key = (True, row.pk) if row.group_id is None else (False, row.group_id)
        members.setdefault(key, []).append((row, criterion))
    ordered = sorted(members.values(), key=lambda group: (group[0][0].turn, group[0][0].pk))
    return Criteria(tuple(map(_group, ordered)), in_order)


def _group(members: Sequence[tuple[_RequirementRow, Criterion]]) -> Group:
    row, criteria = members[0][0], tuple([criterion for _, criterion in members])
    return Group(criteria) if row.group_id is None else Group(criteria, row.needed or 1, row.group_id)


def _by_condition(rows: Iterable[_RuleRow]) -> dict[int, list[_RuleRow]]:
    found: dict[int, list[_RuleRow]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(row)
    return found


@cache
def _columns() -> tuple[str, ...]:
    return tuple(field.attname for field in BadgeTemplate._meta.concrete_fields)
