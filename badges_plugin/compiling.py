"""Compile what active templates ask for into small objects.

Conditions are compiled at once, since an unknown event may satisfy any of them. What a template asks for as a whole,
with the fingerprints of its rules, is compiled when the template is first matched: most never are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS

from badges_plugin.configured import Decision, RequirementRow, Rows, RuleText, configured, template_columns
from badges_plugin.criteria import Criteria, Criterion, Group, way_of
from badges_plugin.data import ValueKind
from badges_plugin.events import BADGE_AWARDED_TYPE, BADGE_REVOKED_TYPE
from badges_plugin.exceptions import InvalidRule, UnusableEventType
from badges_plugin.logs import get_logger
from badges_plugin.matching import CompiledCondition, FoundBy
from badges_plugin.models import BadgeTemplate
from badges_plugin.models.key_paths import check_counted_by, compile_among, usable_kinds
from badges_plugin.models.requirements import meaning_of
from badges_plugin.models.validity import validity_of
from badges_plugin.rules import Operator, Rule, compile_rule, read_value

logger = get_logger(__name__)

ItemT = TypeVar("ItemT")

OWN_TEMPLATE = "own_template"
"""Key path of the primary key of a badge's template, in events of badges of this service. No other event has it."""

_UNDECIDED: Decision = ({}, {})
_NO_DECISIONS: Mapping[int, Decision] = {}
_NO_NEEDS: frozenset[int] = frozenset()


class _Asked(NamedTuple):
    """The rows of the requirements of one template, with their rules and with what was decided about former ones."""

    requirements: tuple[tuple[RequirementRow, tuple[RuleText, ...]], ...]
    decisions: Mapping[int, Decision]
    in_order: bool


@dataclass(slots=True)
class CompiledTemplate:
    """An active template and what it asks for."""

    id: int
    needs: frozenset[int]
    """Primary keys of the templates of needed badges."""
    _asked: _Asked = field(repr=False)
    _values: tuple[Any, ...] = field(repr=False)
    _criteria: Criteria | None = field(default=None, init=False, repr=False, compare=False)
    _row: BadgeTemplate | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def criteria(self) -> Criteria:
        """Return what it asks for, as of when it was read. No query."""
        if self._criteria is None:
            self._criteria = _criteria(self._asked)
        return self._criteria

    @property
    def row(self) -> BadgeTemplate:
        """Return the template as of when it was read. No query; most templates are never asked for it."""
        if self._row is None:
            self._row = BadgeTemplate.from_db(DEFAULT_DB_ALIAS, template_columns(), self._values)
        return self._row


class Condition(NamedTuple):
    """A condition on events of a type, and the value that it is found by where that is known already."""

    event_type: str
    condition: CompiledCondition
    found_by: FoundBy | None = None


class Compiled(NamedTuple):
    """One template, and what fulfills its requirements and takes them away."""

    template: CompiledTemplate
    requirements: list[Condition]
    penalties: list[Condition]


def compiled_templates(
    template_ids: Collection[int] | None = None, *, with_inactive: bool = False
) -> Iterator[Compiled]:
    """Yield the active templates, or those of these, compiled. The number of queries is that of ``configured``.

    A condition that no longer compiles (an event type or key path that a new release of openedx-events lacks,
    or that is now ignored by configuration) never applies, and is logged: it is broken, not false.
    """
    compiler = _Compiler()
    for rows in configured(template_ids, with_inactive=with_inactive):
        for values in rows.templates:
            yield compiler.compiled(values, rows)


class _Penalty(NamedTuple):
    template_id: int
    event_type: str
    counted_by: str = ""


class _Compiler:
    """Compiles templates. Many of them have the same rules, which are compiled once."""

    def __init__(self) -> None:
        columns = template_columns()
        self._pk, self._in_order = columns.index("id"), columns.index("in_order")
        self._check = lru_cache(maxsize=1000)(check_counted_by)
        self._kinds = cache(usable_kinds)
        self._exact_kind = cache(self._kind_of_exact)
        self._compile = lru_cache(maxsize=1000)(self._compiled_rules)

    def compiled(self, values: tuple[Any, ...], rows: Rows) -> Compiled:
        """Compile the template with these values."""
        pk = values[self._pk]
        fulfilling: list[Condition] = []
        resetting: list[Condition] = []
        asked: list[tuple[RequirementRow, tuple[RuleText, ...]]] = []
        decisions: dict[int, Decision] | None = None
        needs: list[int] = []
        for row in rows.requirements.get(pk, ()):
            texts = tuple(rows.rules.get(row.pk, ()))
            asked.append((row, texts))
            if row.pk in rows.decisions:
                decisions = {**(decisions or {}), row.pk: rows.decisions[row.pk]}
            if row.needs_badge_id is not None:
                needs.append(row.needs_badge_id)
                held = _needed_badge(row, row.needs_badge_id)
                fulfilling.append(Condition(BADGE_AWARDED_TYPE, held))
                resetting.append(Condition(BADGE_REVOKED_TYPE, held))
            elif found := self._condition("BadgeRequirement", row.pk, row, (row.pk,), texts):
                fulfilling.append(found)
        if pk in rows.penalties:
            resetting += self._penalties(pk, {row.pk for row, _ in asked}, rows)
        template = CompiledTemplate(
            pk,
            frozenset(needs) if needs else _NO_NEEDS,
            _Asked(tuple(asked), decisions or _NO_DECISIONS, bool(values[self._in_order])),
            values,
        )
        return Compiled(template, fulfilling, resetting)

    def _condition(
        self,
        name: str,
        pk: int,
        of: RequirementRow | _Penalty,
        requirement_ids: tuple[int, ...],
        texts: tuple[RuleText, ...],
    ) -> Condition | None:
        """Return what must be so of an event; None, after logging why, where that cannot be told."""
        found_by: FoundBy | None = None
        try:
            self._check(of.event_type, of.counted_by)
            for text in texts:
                kind = self._exact_kind(of.event_type, text.key_path, text.operator)
                if kind is not None:
                    # Nearly always the only rule of its kind, such as a course key: a value is all that is needed.
                    found_by = FoundBy(text.key_path, kind, (read_value(text.value, kind),))
                    texts = tuple([other for other in texts if other is not text])
                    break
            rules = self._compile(of.event_type, texts)
        except (InvalidRule, UnusableEventType) as error:
            logger.error(
                "%s %s of badge template %s cannot be evaluated and never applies: %s", name, pk, of.template_id, error
            )
            return None
        condition = CompiledCondition(of.template_id, requirement_ids, rules, of.counted_by)
        return Condition(of.event_type, condition, found_by)

    def _penalties(self, template_id: int, own: Collection[int], rows: Rows) -> Iterator[Condition]:
        for pk, event_type in rows.penalties[template_id]:
            texts = tuple(rows.penalty_rules.get(pk, ()))
            linked = tuple([requirement for requirement in rows.linked.get(pk, ()) if requirement in own])
            if not texts or not linked:
                logger.error(
                    "Penalty %s of badge template %s has no rules or no requirements; it never applies.",
                    pk,
                    template_id,
                )
                continue
            if found := self._condition("BadgePenalty", pk, _Penalty(template_id, event_type), linked, texts):
                yield found

    def _kind_of_exact(self, event_type: str, key_path: str, operator: str) -> ValueKind | None:
        """Return the kind of the values where a rule asks for a single one that tells an event from most others."""
        kind = self._kinds(event_type).get(key_path) if operator == Operator.EQUAL else None
        return None if kind in (ValueKind.BOOLEAN, ValueKind.LIST) else kind

    def _compiled_rules(self, event_type: str, texts: tuple[RuleText, ...]) -> tuple[Rule, ...]:
        kinds = self._kinds(event_type)
        return tuple([compile_among(kinds, event_type, text) for text in texts])


def _needed_badge(row: RequirementRow, needed: int) -> CompiledCondition:
    """The needed badge's award fulfills the requirement, its revocation resets it.

    By the primary key of its template, which only events of this service have: a badge that another service awards, for
    the same template at a provider even, is somebody else's.
    """
    held = compile_rule(OWN_TEMPLATE, Operator.EQUAL, str(needed), ValueKind.NUMBER)
    return CompiledCondition(row.template_id, (row.pk,), (held,))


def _criteria(asked: _Asked) -> Criteria:
    """Return what ``ruleset.criteria_of`` does, for plain rows."""
    criteria = [
        (row, _criterion(row, texts, *asked.decisions.get(row.pk, _UNDECIDED))) for row, texts in asked.requirements
    ]
    groups = in_groups(criteria, lambda each: (each[0].group_id, each[0].turn, each[0].pk))
    return Criteria(tuple(map(_group, groups)), asked.in_order)


def in_groups(
    requirements: Iterable[ItemT], place: Callable[[ItemT], tuple[int | None, int, int]]
) -> list[list[ItemT]]:
    """Return requirements by group, in the order of their positions; one without a group is alone.

    ``place`` returns the keys of a requirement's group, if it has one, its position and its own key. Groups of the same
    position are in the order of their oldest requirements.
    """
    members: dict[tuple[bool, int], list[ItemT]] = {}
    for each in requirements:
        group, _, key = place(each)
        members.setdefault((True, key) if group is None else (False, group), []).append(each)
    return sorted(members.values(), key=lambda found: (place(found[0])[1], min(place(each)[2] for each in found)))


def _criterion(
    row: RequirementRow, texts: Iterable[RuleText], kept: Mapping[str, Sequence[str]], forgotten: Mapping[str, int]
) -> Criterion:
    meaning = meaning_of(row.event_type, texts, way_of(row.how_many, row.counted_by), row.needs_badge_id)
    validity = validity_of(meaning, kept, forgotten)
    return Criterion(row.pk, validity, row.how_many, row.counted_by, is_lasting=row.needs_badge_id is not None)


def _group(members: Sequence[tuple[RequirementRow, Criterion]]) -> Group:
    row, criteria = members[0][0], tuple([criterion for _, criterion in members])
    return Group(criteria) if row.group_id is None else Group(criteria, row.needed or 1, row.group_id)
