"""From an entry of a Redis stream to an event, with the bus library's own decoding and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial

from edx_event_bus_redis.internal.message import RedisMessage
from edx_event_bus_redis.internal.utils import HEADER_EVENT_TYPE, HEADER_ID
from openedx_events.event_bus.avro.deserializer import AvroSignalDeserializer
from openedx_events.tooling import OpenEdxPublicSignal

from .avro import read_whole
from .message import DecodedEvent, Message, text
from .problems import Undecodable
from .redis_stream import Entry

BUS = "redis"
CONTENT_FIELD = b"event_data"


def message_from(entry: Entry, topic: str, group: str) -> Message:
    """Return what of ``entry`` can be known without decoding it."""
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
    )


def decode(topic: str, entry: Entry) -> DecodedEvent:
    """Return the event in a stream entry. Whatever it raises is about the entry."""
    if not entry.fields.get(HEADER_ID.message_header_key.encode()):
        # The library would make up an id, another one at each delivery.
        raise Undecodable("The entry has no event id")
    message = RedisMessage.parse((entry.id, entry.fields), topic)
    event_type = message.event_metadata.event_type
    try:
        signal = OpenEdxPublicSignal.get_signal_by_type(event_type)
    except KeyError as error:
        raise Undecodable(f"No event type {event_type} in the installed openedx-events") from error
    # Not the library's deserialize_bytes_to_event_data, which takes the beginning of anything for an event.
    deserializer = _deserializer(signal)
    data = deserializer.from_dict(read_whole(message.event_data, deserializer.schema))
    return DecodedEvent(signal, message.event_metadata, data)


def decode_stored(topic: str, position: str, headers: Mapping[str, str], value: bytes) -> DecodedEvent:
    """Decode an entry that was stored."""
    fields = {name.encode(): header.encode() for name, header in headers.items()}
    return decode(topic, Entry(position.encode(), {**fields, CONTENT_FIELD: value}))


@cache
def _deserializer(signal: OpenEdxPublicSignal) -> AvroSignalDeserializer:
    return AvroSignalDeserializer(signal)
