"""Replay the records of a badge's configuration: which were made together, and what there was before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.db.models import Model, Q, QuerySet

from badges_plugin.models import (
    BadgePenalty,
    BadgeRequirement,
    BadgeTemplate,
    DataRule,
    PenaltyDataRule,
    RequirementGroup,
)
from badges_plugin.models.records import BEGAN, CHANGED, DELETED, PERSON, State, records_of

MOST = 2000
"""Records of each kind that are read; older ones only as far as they tell how things stood."""
TOGETHER = timedelta(seconds=5)
"""Records of one person that follow one another within this time are one change: a page saves many rows."""


class Kind(Enum):
    """What can change, in the order in which people read of it."""

    TEMPLATE = BadgeTemplate
    GROUP = RequirementGroup
    REQUIREMENT = BadgeRequirement
    PENALTY = BadgePenalty
    RULE = DataRule
    PENALTY_RULE = PenaltyDataRule


RULES_OF = {Kind.REQUIREMENT: (Kind.RULE, "requirement_id"), Kind.PENALTY: (Kind.PENALTY_RULE, "penalty_id")}

Key = tuple[Kind, int]


@dataclass(frozen=True, slots=True)
class Record:
    """How one thing stood from an instant on."""

    kind: Kind
    state: State
    number: int
    at: datetime
    type: str
    user_id: int | None
    reason: str

    @property
    def key(self) -> Key:
        return self.kind, self.state["id"]


@dataclass
class Picture:
    """How everything of a badge stands at one instant."""

    states: dict[Key, State] = field(default_factory=dict)

    def get(self, kind: Kind, pk: int | None) -> State | None:
        return None if pk is None else self.states.get((kind, pk))

    def all(self, kind: Kind) -> list[State]:
        return [state for (its_kind, _), state in sorted(self.states.items(), key=_by_pk) if its_kind is kind]

    def rules(self, kind: Kind, pk: int) -> list[State]:
        """Return the rules of a requirement or penalty, in the order in which they were added."""
        rule, owner = RULES_OF[kind]
        return [state for state in self.all(rule) if state[owner] == pk]

    def apply(self, record: Record) -> None:
        if record.type == DELETED:
            self.states.pop(record.key, None)
        else:
            self.states[record.key] = record.state


@dataclass(frozen=True)
class Step:
    """Records that were made together. ``touched``: what they are about; a rule counts for what it belongs to."""

    at: datetime
    user_id: int | None
    by_person: bool
    touched: tuple[Key, ...]
    before: Picture
    after: Picture


@dataclass(frozen=True)
class Replay:
    """``is_complete``: whether the steps go back to when the badge was created."""

    steps: tuple[Step, ...]
    records: tuple[Record, ...]
    is_complete: bool


def replay(template_id: int) -> Replay:
    """Return what happened to a badge's configuration, the oldest first. Six queries; more if there is very much."""
    records: list[Record] = []
    silent_until: datetime | None = None
    owners: dict[Kind, set[int]] = {}
    for kind in Kind:
        found, cut = _records(kind, _mine(kind, template_id, owners))
        owners[kind] = {record.state["id"] for record in found}
        records += found
        silent_until = max(filter(None, (silent_until, cut)), default=None)
    records.sort(key=lambda record: (record.at, record.reason != BEGAN, record.number))
    began = any(record.reason == BEGAN for record in records)
    return Replay(tuple(_steps(records, silent_until)), tuple(records), is_complete=silent_until is None and not began)


def _mine(kind: Kind, template_id: int, owners: Mapping[Kind, Iterable[int]]) -> Q:
    match kind:
        case Kind.TEMPLATE:
            return Q(id=template_id)
        case Kind.RULE:
            return Q(requirement_id__in=owners[Kind.REQUIREMENT])
        case Kind.PENALTY_RULE:
            return Q(penalty_id__in=owners[Kind.PENALTY])
        case _:
            return Q(template_id=template_id)


def _records(kind: Kind, mine: Q) -> tuple[list[Record], datetime | None]:
    """Return the newest records, and from when on they are all there; None if they all are."""
    known = records_of(kind.value)
    if known is None:
        raise TypeError(f"{kind} is not recorded.")
    rows: QuerySet[Model, dict[str, Any]] = known.records.filter(mine).values()
    newest = list(rows.order_by("-history_id")[: MOST + 1])
    if len(newest) <= MOST:
        return [_record(kind, row) for row in newest], None
    del newest[MOST:]
    first = newest[-1]
    last = known.newest_of(known.records.filter(mine, history_id__lt=first["history_id"]))
    stood = [{**row, "history_change_reason": BEGAN} for row in last.values()]
    return [_record(kind, row) for row in (*stood, *newest)], first["history_date"]


def _record(kind: Kind, row: dict[str, Any]) -> Record:
    state = {name: value for name, value in row.items() if not name.startswith("history_")}
    return Record(
        kind,
        state,
        row["history_id"],
        row["history_date"],
        row["history_type"],
        row["history_user_id"],
        row["history_change_reason"],
    )


def _steps(records: Sequence[Record], silent_until: datetime | None) -> Iterator[Step]:
    after = Picture()
    for together in _together(records):
        before, after = after, Picture(dict(after.states))
        # What is changed without having been created, or that began, was there before the history was.
        known = [record for record in together if record.reason != BEGAN]
        fresh = {record.key for record in known if record.type == CHANGED and record.key not in before.states}
        for record in together:
            after.apply(record)
        first = together[0]
        if not known or (silent_until is not None and first.at <= silent_until):
            continue
        created = {record.key for record in known if record.type not in (CHANGED, DELETED)}
        touched = {_owner(record) for record in known if record.key not in fresh - created}
        yield Step(
            together[-1].at,
            known[0].user_id,
            known[0].reason == PERSON,
            tuple(sorted(touched, key=_order)),
            before,
            after,
        )


def _together(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Yield the records that are one change. What was made and deleted at once is two, or nothing would be told."""
    group: list[Record] = []
    made: set[Key] = set()
    for record in records:
        last = group[-1] if group else None
        is_undone = record.type == DELETED and record.key in made
        if last and (_who(last) != _who(record) or record.at - last.at > TOGETHER or is_undone):
            yield group
            group, made = [], set()
        group.append(record)
        if record.type not in (CHANGED, DELETED):
            made.add(record.key)
    if group:
        yield group


def _who(record: Record) -> tuple[int | None, str]:
    return record.user_id, record.reason


def _owner(record: Record) -> Key:
    for kind, (rule, owner) in RULES_OF.items():
        if record.kind is rule:
            return kind, record.state[owner]
    return record.key


def _order(key: Key) -> tuple[int, int]:
    return list(Kind).index(key[0]), key[1]


def _by_pk(item: tuple[Key, State]) -> int:
    return item[0][1]
