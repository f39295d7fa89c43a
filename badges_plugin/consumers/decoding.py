"""Read the metadata and the Avro content of a message, without making anything up.

The bus libraries replace a missing id or time with a new one at each delivery: the same event would be applied again
and again, and would outdate newer ones. They also stop where the event ends and ignore the bytes after it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import fastavro
from openedx_events.data import EventsMetadata

from badges_plugin.consumers.exceptions import Undecodable
from badges_plugin.times import read_instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_whole(content: bytes, schema: object, reader_schema: object = None) -> Mapping[str, Any]:
    """Return the record in ``content``, which must be all of it; ``schema`` wrote it.

    Fields that only ``reader_schema`` has get their defaults; those that it lacks are left out. Raises Undecodable when
    bytes are left over: another schema wrote them, and the values read may be wrong. Any other exception is about the
    content, too.
    """
    stream = io.BytesIO(content)
    record: Any = fastavro.schemaless_reader(stream, schema, reader_schema)  # type: ignore[arg-type]
    if left := len(content) - stream.tell():
        raise Undecodable(
            f"{left} bytes are left over after the event: it was written with another schema, perhaps by another "
            "release of openedx-events"
        )
    if not isinstance(record, Mapping):
        raise Undecodable("It is not a record")
    return record


def read_metadata(said: Mapping[str, str], *, broker_time: datetime | None) -> EventsMetadata:
    """Return the metadata in a message's headers, given by the field names of EventsMetadata; "" means not given.

    The id and the time decide what an event may change. An event without a time gets the time at which the broker
    received it, which is the same at every delivery. Other fields are left empty if they are missing or unreadable.
    Raises Undecodable for an event without an id, or with a time that cannot be read.
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
    """Return a broker's time; None if it has none, or one out of the range of datetime."""
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
        raise Undecodable("Its event id is not a UUID") from error


def _time(text: str, broker_time: datetime | None) -> datetime:
    if not text.strip():
        if broker_time is None:
            raise Undecodable("Neither the event nor the broker gives a time")
        return broker_time
    try:
        return read_instant(text.strip())
    except ValueError as error:
        raise Undecodable("Its time is not of the form 2026-01-31T12:00:00+00:00") from error


def _minor_version(text: str) -> int:
    with suppress(ValueError):
        return int(text)
    return 0


def _version(text: str) -> tuple[int, ...]:
    with suppress(ValueError):
        return tuple(int(part) for part in text.split("."))
    return ()
