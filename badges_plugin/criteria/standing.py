"""How much of a requirement, a group and a badge is done, by the registers of one learner."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple, Protocol
from uuid import UUID

from badges_plugin.criteria.registers import (
    FLOOR,
    Register,
    Registers,
    Way,
    by_requirement,
    floor_of,
    moments_of,
    stamp_of,
    way_of,
)
from badges_plugin.data import EventStamp

_NEVER = datetime.max.replace(tzinfo=UTC)


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


@dataclass(frozen=True, slots=True)
class Criterion:
    """What one requirement asks for."""

    id: int
    rules: RulesThatCount
    count: int = 1
    counted_by: str = ""
    is_lasting: bool = False
    """Whether it asks for something that lasts, such as a badge that is held: it counts toward a renewal, and in its
    turn, too."""

    @property
    def way(self) -> Way:
        return way_of(self.count, self.counted_by)

    @property
    def is_one(self) -> bool:
        """Whether one event is enough."""
        return self.way.is_one

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
        if not rows:
            return Tally(self, ())
        floor = floor_of(rows)
        if len(rows) == 1 and self.is_one and not_before is None:  # by far the most
            moments = self._moments(rows[0], floor, counts_from) if self.is_held(rows[0], measure) else []
            return Tally(self, (Held(rows[0], min(moments)),) if moments else ())
        found: dict[UUID | str, Held] = {}
        for row in rows:
            if not self.is_held(row, measure):
                continue
            moments = self._moments(row, floor, counts_from)
            if not_before is not None:
                moments = self._in_turn(moments, not_before)
            if not moments:
                continue
            # An event that was counted in another way before is one event, not two; and where one is enough, any is it.
            key = row.event_id if self.way.is_each_event else FLOOR if self.is_one else row.value_key
            held = Held(row, min(moments))
            if key not in found or held.since < found[key].since:
                found[key] = held
        return Tally(self, tuple(sorted(found.values(), key=lambda held: (held.since, held.register.event_id))))

    def _in_turn(self, moments: Iterable[datetime], turn: datetime) -> list[datetime]:
        if self.is_lasting and turn != _NEVER:
            return [max(moment, turn) for moment in moments]  # it is held still
        return [moment for moment in moments if moment >= turn]

    def _moments(self, row: Register, floor: EventStamp | None, counts_from: datetime | None) -> list[datetime]:
        if not self.is_lasting or counts_from is None:
            return moments_of(row, floor, counts_from)
        return [max(moment, counts_from) for moment in moments_of(row, floor, None)]


class Held(NamedTuple):
    """A counted value, and when it began to hold."""

    register: Register
    since: datetime


class Tally(NamedTuple):
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


@dataclass(frozen=True, slots=True)
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
        tallies = [
            criterion.tally(
                registers.get(criterion.id, ()), counts_from=counts_from, measure=measure, not_before=not_before
            )
            for criterion in self.criteria
        ]
        return GroupStanding(self, tuple(tallies), is_waiting=not_before == _NEVER)


class GroupStanding(NamedTuple):
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


class Standing(NamedTuple):
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
        tallies = [tally for group in self.groups for tally in group.tallies]
        found = [held.register for tally in tallies for held in tally.held[: tally.criterion.count]]
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
        return Standing(tuple(self._standings(registers, counts_from, measure)))

    def is_complete(
        self,
        registers: Iterable[Register],
        *,
        counts_from: datetime | None = None,
        measure: Measure = Measure.COUNTING,
    ) -> bool:
        """Whether the badge is complete. Nothing is counted beyond the first group that is not fulfilled."""
        standings = self._standings(registers, counts_from, measure)
        return bool(self.groups) and all(group.is_fulfilled for group in standings)

    def _standings(
        self, registers: Iterable[Register], counts_from: datetime | None, measure: Measure
    ) -> Iterator[GroupStanding]:
        rows, turn = by_requirement(registers), None
        for group in self.groups:
            standing = group.standing(rows, counts_from=counts_from, measure=measure, not_before=turn)
            if self.in_order:
                turn = standing.completed_at or _NEVER
            yield standing

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
