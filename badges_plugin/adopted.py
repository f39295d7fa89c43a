"""Ids for what no event is known of any more: progress that was adopted from the host's built-in badges app.

That app keeps neither the event nor its time. Progress needs an id all the same; these begin alike, so that whoever
shows events can say where it came from.
"""

from __future__ import annotations

from uuid import UUID

# As a random one (version 4): MariaDB refuses the version that is left to applications. That an event has such an id by
# chance is as unlikely as that two have the same.
_BEGINNING = UUID("bad6e5ad-0b7e-4d00-8000-000000000000").int
_BITS = 56
_LARGEST = (1 << _BITS) - 1


def adopted_id(key: int) -> UUID:
    """Return the id for a row of the built-in app, always the same one. ``key`` is the row's primary key."""
    return UUID(int=_BEGINNING | (key & _LARGEST))


def is_adopted(event_id: UUID) -> bool:
    """Return whether an id stands for an adopted row, and not for an event."""
    return event_id.int >> _BITS == _BEGINNING >> _BITS
