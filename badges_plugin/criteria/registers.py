"""Registers: the last thing that was heard of each counted value, and what a penalty leaves of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
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


@dataclass(frozen=True, slots=True)
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


@lru_cache(maxsize=1000)
def way_of(count: int, counted_by: str) -> Way:
    """Return how a requirement with this count counts."""
    return Way(counted_by, is_each_event=count > 1 and not counted_by)


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
    was_touched = register.reset_time is not None or not register.is_fulfilled or register.times
    if floor is None and counts_from is None and not was_touched:  # by far the most
        time, since = register.event_time, register.since
        return [time] if since is None or since == time else sorted((since, time))
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
