"""Whether a badge is complete, since when, and what is missing. Pure: knows no database and no Django models.

A requirement asks for a *count* of different values, or of events; a group for a number of its requirements; a
template for all of its groups, perhaps in order. What a learner did is kept in registers, one for each counted value.
A register counts when it is fulfilled, is newer than the floor that a penalty left, is newer than ``counts_from``
(what was before it went into an award that expired), and was made under rules that count.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol
from uuid import UUID

from badges_plugin.data import EventStamp

MAX_COUNT = 1000
"""How many events or values a requirement can ask for."""
MAX_VALUES = 2000
"""Registers that are kept of one requirement of a learner at most, the newest ones."""
MAX_TIMES = 100
"""Times that one register keeps at most where groups are asked for in order: the oldest and the newest ones."""

FLOOR = ""
"""The value key of the register whose reset voids what is older in all registers of the requirement. Where one event
is enough, and nothing is counted, it is the only register."""

_NEVER = datetime.max.replace(tzinfo=UTC)


class Register(Protocol):
    """The last thing that was heard of one counted value of a requirement: a ``Fulfillment``."""

    @property
    def requirement_id(self) -> int: ...
    @property
    def value_key(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def is_fulfilled(self) -> bool: ...
    @property
    def event_id(self) -> UUID: ...
    @property
    def event_type(self) -> str: ...
    @property
    def event_time(self) -> datetime: ...
    @property
    def made_under(self) -> str: ...
    @property
    def reset_time(self) -> datetime | None: ...
    @property
    def reset_id(self) -> UUID | None: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def times(self) -> Sequence[str]: ...


Registers = Mapping[int, Sequence[Register]]
"""Registers of one learner's progress, by requirement id."""


class RulesThatCount(Protocol):
    """Which rules a register may have been made under: ``models.validity.Validity``."""

    @property
    def current(self) -> str: ...

    def covers(self, made_under: str) -> bool: ...

    def is_forgotten(self, made_under: str) -> bool: ...


class Measure(enum.Enum):
    """Which registers count, by the rules that they were made under."""

    COUNTING = "counting"
    """Made under rules that count today: what awards go by."""
    PROTECTING = "protecting"
    """Not forgotten: what keeps a badge when a penalty takes something else."""
    ANY = "any"
    """Made under whatever rules."""


@dataclass(frozen=True)
class Way:
    """How a requirement counts: one event is enough, each event, or the different values at a key path.

    What was counted in one way cannot be told apart from what is counted in another.
    """

    counted_by: str = ""
    is_each_event: bool = False

    @property
    def is_one(self) -> bool:
        return not self.counted_by and not self.is_each_event

    @property
    def prefix(self) -> str:
        """Return what the value keys of this way begin with; empty where one event is enough."""
        if self.counted_by:
            return hashlib.sha256(self.counted_by.encode()).hexdigest()[:8] + ":"
        return "event:" if self.is_each_event else FLOOR

    def is_of(self, register: Register) -> bool:
        """Whether a register was written by a requirement that counts in this way."""
        return register.value_key == FLOOR if self.is_one else register.value_key.startswith(self.prefix)

    def key_of_value(self, value: str) -> str:
        """Return the value key of a counted value, in the form in which values are compared."""
        return self.prefix + hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()[:48]

    def key_of_event(self, event_id: UUID) -> str:
        """Return the value key of an event that is counted by itself."""
        return self.prefix + event_id.hex


def way_of(count: int, counted_by: str) -> Way:
    """Return how a requirement with this count counts."""
    return Way(counted_by, is_each_event=count > 1 and not counted_by)


@dataclass(frozen=True)
class Criterion:
    """What one requirement asks for."""

    id: int
    rules: RulesThatCount
    count: int = 1
    counted_by: str = ""

    @cached_property
    def way(self) -> Way:
        return way_of(self.count, self.counted_by)

    def is_held(self, register: Register, measure: Measure = Measure.COUNTING) -> bool:
        """Whether a register is fulfilled, and was made under rules that count; floors are not looked at."""
        if not register.is_fulfilled:
            return False
        if measure is Measure.ANY:
            return True
        if measure is Measure.PROTECTING:
            return not self.rules.is_forgotten(register.made_under)
        # Which values were counted in another way is not known: they could be counted twice.
        is_known = not self.counted_by or self.way.is_of(register)
        return is_known and self.rules.covers(register.made_under)

    def tally(
        self,
        registers: Iterable[Register],
        *,
        counts_from: datetime | None = None,
        measure: Measure = Measure.COUNTING,
        not_before: datetime | None = None,
    ) -> Tally:
        """Return what counts among the registers of this requirement.

        ``not_before``: only events at or after that moment count, as for a group whose turn begins then.
        """
        rows = list(registers)
        floor = floor_of(rows)
        found: dict[UUID | str, Held] = {}
        for row in rows:
            if not self.is_held(row, measure):
                continue
            moments = [m for m in moments_of(row, floor, counts_from) if not_before is None or m >= not_before]
            if not moments:
                continue
            # An event that was counted in another way before is one event, not two; and where one is enough, any is it.
            key = row.event_id if self.way.is_each_event else FLOOR if self.way.is_one else row.value_key
            held = Held(row, min(moments))
            if key not in found or held.since < found[key].since:
                found[key] = held
        return Tally(self, tuple(sorted(found.values(), key=lambda held: (held.since, held.register.event_id))))


@dataclass(frozen=True)
class Held:
    """A counted value, and when it began to hold."""

    register: Register
    since: datetime


@dataclass(frozen=True)
class Tally:
    """How much of one requirement is done: ``number`` of ``criterion.count``."""

    criterion: Criterion
    held: tuple[Held, ...]
    """Everything that counts, oldest first."""

    @property
    def number(self) -> int:
        return len(self.held)

    @property
    def is_fulfilled(self) -> bool:
        return self.number >= self.criterion.count

    @property
    def missing(self) -> int:
        return max(self.criterion.count - self.number, 0)

    @property
    def completed_at(self) -> datetime | None:
        """Return when the last value that was needed began to hold; None when it is not fulfilled."""
        return self.held[self.criterion.count - 1].since if self.is_fulfilled else None


@dataclass(frozen=True)
class Group:
    """Requirements of which ``needed`` must be fulfilled. A requirement without a group is a group of its own."""

    criteria: tuple[Criterion, ...]
    needed: int = 1
    id: int | None = None
    """Of the stored group; None for a requirement without one."""

    def standing(
        self,
        registers: Registers,
        *,
        counts_from: datetime | None = None,
        measure: Measure = Measure.COUNTING,
        not_before: datetime | None = None,
    ) -> GroupStanding:
        """Return how much of the group is done; ``not_before`` as for ``Criterion.tally``."""
        tallies = tuple(
            criterion.tally(
                registers.get(criterion.id, ()), counts_from=counts_from, measure=measure, not_before=not_before
            )
            for criterion in self.criteria
        )
        return GroupStanding(self, tallies, is_waiting=not_before == _NEVER)


@dataclass(frozen=True)
class GroupStanding:
    """How much of a group is done: ``number`` of ``group.needed``."""

    group: Group
    tallies: tuple[Tally, ...]
    is_waiting: bool = False
    """Whether groups are asked for in order and an earlier one is not done: nothing of this one counts yet."""

    @property
    def number(self) -> int:
        return sum(tally.is_fulfilled for tally in self.tallies)

    @property
    def is_fulfilled(self) -> bool:
        return self.number >= self.group.needed

    @property
    def completed_at(self) -> datetime | None:
        """Return when the last requirement that was needed was fulfilled; None when the group is not."""
        done = sorted(moment for tally in self.tallies if (moment := tally.completed_at) is not None)
        return done[self.group.needed - 1] if len(done) >= self.group.needed else None


@dataclass(frozen=True)
class Standing:
    """How much of a badge is done."""

    groups: tuple[GroupStanding, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every group is fulfilled. A badge without groups is never complete."""
        return bool(self.groups) and all(group.is_fulfilled for group in self.groups)

    @property
    def completed_at(self) -> datetime | None:
        """Return when the last group was fulfilled, by the times of events; None when the badge is not complete."""
        done = [moment for group in self.groups if (moment := group.completed_at) is not None]
        return max(done) if self.is_complete else None

    @property
    def registers(self) -> list[Register]:
        """Return what counts, in the order of the events' times; of counted things no more than were needed."""
        found = [
            held.register
            for group in self.groups
            for tally in group.tallies
            for held in tally.held[: tally.criterion.count]
        ]
        return sorted(found, key=stamp_of)


@dataclass(frozen=True)
class Criteria:
    """What a badge asks for."""

    groups: tuple[Group, ...]
    """All must be fulfilled; in the order of their positions."""
    in_order: bool = False

    def standing(
        self,
        registers: Iterable[Register],
        *,
        counts_from: datetime | None = None,
        measure: Measure = Measure.COUNTING,
    ) -> Standing:
        """Return how much is done by these registers of one learner's progress.

        In order: each group is done at the earliest moment at which it is fulfilled by events that are not before the
        moment at which the one before it was done.
        """
        rows, turn, standings = by_requirement(registers), None, []
        for group in self.groups:
            standing = group.standing(rows, counts_from=counts_from, measure=measure, not_before=turn)
            if self.in_order:
                turn = standing.completed_at or _NEVER
            standings.append(standing)
        return Standing(tuple(standings))

    def is_complete(
        self,
        registers: Iterable[Register],
        *,
        counts_from: datetime | None = None,
        measure: Measure = Measure.COUNTING,
    ) -> bool:
        """Whether the badge is complete."""
        return self.standing(registers, counts_from=counts_from, measure=measure).is_complete

    def broken_groups(
        self, registers: Iterable[Register], lost: Iterable[int], *, counts_from: datetime | None = None
    ) -> list[Group]:
        """Return the groups that lost something of these requirements and are not fulfilled, whatever the order.

        What was made under rules that staff have not decided about still protects the badge.
        """
        rows, gone = by_requirement(registers), frozenset(lost)
        return [
            group
            for group in self.groups
            if any(criterion.id in gone for criterion in group.criteria)
            and not group.standing(rows, counts_from=counts_from, measure=Measure.PROTECTING).is_fulfilled
        ]

    @cached_property
    def by_id(self) -> Mapping[int, Criterion]:
        """Return what is asked for by requirement id."""
        return {criterion.id: criterion for group in self.groups for criterion in group.criteria}


def by_requirement(registers: Iterable[Register]) -> Registers:
    """Return registers by requirement id."""
    found: dict[int, list[Register]] = {}
    for register in registers:
        found.setdefault(register.requirement_id, []).append(register)
    return found


def stamp_of(register: Register) -> EventStamp:
    """Return identity and time of the newest event of a register."""
    return EventStamp(register.event_time, register.event_id)


def reset_of(register: Register) -> EventStamp | None:
    """Return the newest reset of a register; None when it was never reset."""
    if register.reset_time is not None and register.reset_id is not None:
        return EventStamp(register.reset_time, register.reset_id)
    return None if register.is_fulfilled else stamp_of(register)


def floor_of(registers: Iterable[Register]) -> EventStamp | None:
    """Return the stamp that voids everything older, among the registers of one requirement."""
    return next((reset_of(register) for register in registers if register.value_key == FLOOR), None)


def moments_of(register: Register, floor: EventStamp | None, counts_from: datetime | None) -> list[datetime]:
    """Return the times of events that fulfill a register, as far as they are known, oldest first.

    Empty when it is older than the floor or than ``counts_from``. The newest event is always known; the others are
    the one since which it holds, and those that are kept where groups are asked for in order.
    """
    newest = stamp_of(register)
    if (floor is not None and newest <= floor) or (counts_from is not None and newest.time <= counts_from):
        return []
    begins = [stamp.time for stamp in (floor, reset_of(register)) if stamp is not None]
    after = max([*begins, *([counts_from] if counts_from else [])], default=None)
    known = {register.since or newest.time, *map(datetime.fromisoformat, register.times)}
    return sorted({newest.time, *(moment for moment in known if after is None or moment > after)})


def bounded(moments: Iterable[datetime]) -> list[datetime]:
    """Return the times that are kept of these: the oldest and the newest."""
    ordered, half = sorted(set(moments)), MAX_TIMES // 2
    return ordered if len(ordered) <= MAX_TIMES else [*ordered[:half], *ordered[-half:]]
