"""Frozen data that the parts of the core exchange; independent of Django."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID


class ValueKind(enum.Enum):
    """How the values at a key path are compared, derived from the attribute's type in the event's data class."""

    BOOLEAN = "boolean"
    NUMBER = "number"
    DATETIME = "date and time"
    TEXT = "text"
    LIST = "list"


class Deferral(enum.StrEnum):
    """Why an event cannot be applied now, but perhaps later. The values are stored: never change one."""

    FUTURE = "future"
    NAME_TAKEN = "name_taken"
    UNKNOWN_LEARNER = "unknown_learner"
    ENDLESS_CHAIN = "endless_chain"


@dataclass(frozen=True, order=True)
class EventStamp:
    """Identity and time of an event, ordered by time; the id breaks ties.

    This total order makes the outcome independent of the order of arrival.
    """

    time: datetime
    id: UUID


@dataclass(frozen=True)
class LearnerData:
    """The earner as the event describes them; empty strings are unknown values.

    .. pii: Carries the user name, e-mail address and name of a learner in memory; never logged.
    .. pii_types: username, email_address, name
    .. pii_retirement: retained
    """

    lms_user_id: int | None
    username: str = field(repr=False)
    email: str = field(repr=False)
    name: str = field(repr=False)
    is_active: bool

    @property
    def has_profile(self) -> bool:
        """Whether a name or e-mail address is told. An event that does not must not make an older one look outdated."""
        return bool(self.email or self.name)


@dataclass(frozen=True)
class BadgingEvent:
    """The parts of an event about one learner that badges need."""

    type: str
    stamp: EventStamp
    learner: LearnerData = field(repr=False)
    payload: object = field(repr=False)
    """The data object at which key paths start."""

    def __str__(self) -> str:
        return f"{self.type} {self.stamp.id}"


EVENT_TIME = "event.time"
"""Key path of the time of any event, which is not a part of what it carries."""


def grade_in(payload: object) -> str:
    """Return the grade that an event tells, for people: "87%", or as a certificate has it. Empty where none is told.

    Events of persistent grades have ``percent_grade``, from 0 to 1, and those of certificates have ``grade``, a text.
    """
    value = getattr(payload, "percent_grade", getattr(payload, "grade", ""))
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = math.nan
    if 0 <= share <= 1:
        return f"{round(share * 100, 1):g}%"
    # PostgreSQL knows no NUL character.
    return value.replace("\0", "").strip() if isinstance(value, str) else ""


def resolve(payload: object, key_path: str) -> object:
    """Return the value at a dotted key path of nested data objects or mappings, None if there is none.

    The key paths of an event start from its payload; its time is at ``event.time``.
    """
    value: Any = payload
    if isinstance(payload, BadgingEvent):
        if key_path == EVENT_TIME:
            return payload.stamp.time
        value = payload.payload
    for name in _names(key_path):
        # mypy takes the hash of a class for that of its instances.
        is_mapping = _is_mapping(type(value))  # type: ignore[arg-type]
        value = value.get(name) if is_mapping else getattr(value, name, None)
        if value is None:
            return None
    return value


# Every event is asked for the same few key paths, and carries the same few classes.
@lru_cache(maxsize=1024)
def _names(key_path: str) -> tuple[str, ...]:
    return tuple(key_path.split("."))


@lru_cache(maxsize=1024)
def _is_mapping(cls: type[Any]) -> bool:
    return issubclass(cls, Mapping)


# Ids for what no event is known of any more: progress that was adopted from the host's built-in badges app, which keeps
# neither the event nor its time. They begin alike, so that whoever shows events can say where it came from. They look
# like random ones (version 4): MariaDB refuses the version that is left to applications. That an event has such an id
# by chance is as unlikely as that two have the same.
_ADOPTED = UUID("bad6e5ad-0b7e-4d00-8000-000000000000").int
_ADOPTED_BITS = 56
_LARGEST_ADOPTED = (1 << _ADOPTED_BITS) - 1


def adopted_id(key: int) -> UUID:
    """Return the id for a row of the built-in app, always the same one. ``key`` is the row's primary key."""
    return UUID(int=_ADOPTED | (key & _LARGEST_ADOPTED))


def is_adopted(event_id: UUID) -> bool:
    """Return whether an id stands for an adopted row, and not for an event."""
    return event_id.int >> _ADOPTED_BITS == _ADOPTED >> _ADOPTED_BITS
