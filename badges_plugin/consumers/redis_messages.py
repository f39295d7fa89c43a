"""Decode entries of a Redis stream into events, with the bus library's own headers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial

from edx_event_bus_redis.internal.utils import HEADER_EVENT_TYPE, HEADER_ID, MessageHeader
from openedx_events.event_bus.avro.deserializer import AvroSignalDeserializer
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin.consumers.decoding import from_milliseconds, read_metadata, read_whole
from badges_plugin.consumers.exceptions import Undecodable
from badges_plugin.consumers.message import DecodedEvent, Message, text
from badges_plugin.consumers.redis_stream import Entry

BUS = "redis"
CONTENT_FIELD = b"event_data"


def message_from(entry: Entry, topic: str, group: str) -> Message:
    """Return ``entry`` as a message that is not decoded yet."""
    headers = {text(name): text(value) for name, value in entry.fields.items() if name != CONTENT_FIELD}
    return Message(
        bus=BUS,
        topic=topic,
        group=group,
        position=text(entry.id),
        event_id=headers.get(HEADER_ID.message_header_key, ""),
        event_type=headers.get(HEADER_EVENT_TYPE.message_header_key, ""),
        headers=headers,
        value=entry.fields.get(CONTENT_FIELD, b""),
        decode=partial(decode, topic, entry),
        broker_time=broker_time(entry.id),
    )


def decode(topic: str, entry: Entry) -> DecodedEvent:
    """Return the event in a stream entry. Any exception is about the entry."""
    said = {
        header.event_metadata_field: text(entry.fields.get(header.message_header_key.encode()))
        for header in MessageHeader.instances
    }
    metadata = read_metadata(said, broker_time=broker_time(entry.id))
    try:
        signal = OpenEdxPublicSignal.get_signal_by_type(metadata.event_type)
    except KeyError as error:
        raise Undecodable(f"No event type {metadata.event_type} in the installed openedx-events") from error
    if CONTENT_FIELD not in entry.fields:
        raise Undecodable(f"The entry has no {CONTENT_FIELD.decode()}")
    # Not the library's deserialize_bytes_to_event_data, which ignores the bytes after the event.
    deserializer = _deserializer(signal)
    data = deserializer.from_dict(read_whole(entry.fields[CONTENT_FIELD], deserializer.schema))
    return DecodedEvent(signal, metadata, data)


def broker_time(entry_id: bytes) -> datetime | None:
    """Return the time at which Redis received an entry: its id begins with that, in milliseconds."""
    milliseconds = entry_id.partition(b"-")[0]
    return from_milliseconds(int(milliseconds)) if milliseconds.isdigit() else None


def decode_stored(
    topic: str, position: str, headers: Mapping[str, str], value: bytes, broker_time: datetime | None
) -> DecodedEvent:
    """Decode an entry that was stored; its position contains the time at which Redis received it."""
    fields = {name.encode(): header.encode() for name, header in headers.items()}
    return decode(topic, Entry(position.encode(), {**fields, CONTENT_FIELD: value}))


@cache
def _deserializer(signal: OpenEdxPublicSignal) -> AvroSignalDeserializer:
    return AvroSignalDeserializer(signal)
