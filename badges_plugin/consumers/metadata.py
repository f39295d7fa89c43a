"""The metadata of an event, read from a message's headers: nothing of it is made up.

The bus libraries fill in what is missing, an id or the time of reading among it: another one at each delivery, so that
the same event would be applied again and again, and would outdate what came after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

from openedx_events.data import EventsMetadata

from badges_plugin.consumers.exceptions import Undecodable
from badges_plugin.times import read_instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_metadata(said: Mapping[str, str], *, broker_time: datetime | None) -> EventsMetadata:
    """Return the metadata that a message's headers say, by the names of EventsMetadata; an empty text says nothing.

    Id and time decide what an event may change. Without a time it has the one at which the broker got it, which is the
    same at every delivery. What decides nothing is left empty where it is missing or cannot be read. Raises Undecodable
    for an event that has no identity, or a time that is none.
    """
    return EventsMetadata(
        event_type=said.get("event_type", ""),
        id=_id(said.get("id", "")),
        time=_time(said.get("time", ""), broker_time),
        minorversion=_minor_version(said.get("minorversion", "")),
        source=said.get("source", ""),
        sourcehost=said.get("sourcehost", ""),
        sourcelib=_version(said.get("sourcelib", "")),
    )


def from_milliseconds(milliseconds: int) -> datetime | None:
    """Return a broker's time; None when it has none, or one that is beyond all dates."""
    if milliseconds < 0:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def _id(text: str) -> UUID:
    if not text.strip():
        raise Undecodable("It has no event id")
    try:
        return UUID(text.strip())
    except ValueError as error:
        raise Undecodable("Its event id is no UUID") from error


def _time(text: str, broker_time: datetime | None) -> datetime:
    if not text.strip():
        if broker_time is None:
            raise Undecodable("It has no time, and neither has the broker")
        return broker_time
    try:
        return read_instant(text.strip())
    except ValueError as error:
        raise Undecodable("Its time is none as in 2026-01-31T12:00:00+00:00") from error


def _minor_version(text: str) -> int:
    with suppress(ValueError):
        return int(text)
    return 0


def _version(text: str) -> tuple[int, ...]:
    with suppress(ValueError):
        return tuple(int(part) for part in text.split("."))
    return ()
