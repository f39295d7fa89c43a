"""Decode Kafka messages into events, with the bus library's own headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache, partial
from typing import Any, cast

import fastavro
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE
from confluent_kafka import Message as KafkaMessage
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext
from edx_event_bus_kafka.internal.config import get_schema_registry_client
from edx_event_bus_kafka.internal.consumer import get_deserializer
from edx_event_bus_kafka.internal.utils import HEADER_EVENT_TYPE, HEADER_ID, MessageHeader
from openedx_events.event_bus.avro.deserializer import AvroSignalDeserializer
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin.consumers.decoding import from_milliseconds, read_metadata, read_whole
from badges_plugin.consumers.exceptions import CannotGoOn, DecodingUnavailable, Undecodable
from badges_plugin.consumers.message import DecodedEvent, Message, text
from badges_plugin.redaction import iter_causes

BUS = "kafka"
Headers = list[tuple[str, str | bytes | None]]
# Status codes about one schema or request; any other status is about the registry itself. So is a 404 without one of
# the registry's error codes: another server answers at that URL.
ABOUT_THE_SCHEMA = frozenset({404, 422})

# https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
FRAMED = b"\0"
CONTENT_STARTS = 5
HEADER_SCHEMA_ID = "__value_schema_id"


def message_from(received: KafkaMessage, group: str) -> Message:
    """Return ``received`` as a message that is not decoded yet."""
    topic = received.topic() or ""
    headers = _headers(received)
    value = received.value() or b""
    came = broker_time(received)
    readable = {text(name): text(header) for name, header in headers or []}
    return Message(
        bus=BUS,
        topic=topic,
        group=group,
        position=f"{received.partition()}:{received.offset()}",
        event_id=readable.get(HEADER_ID.message_header_key, ""),
        event_type=readable.get(HEADER_EVENT_TYPE.message_header_key, ""),
        headers=readable,
        value=value,
        decode=partial(decode, topic, headers, value, came),
        broker_time=came,
    )


def registry() -> SchemaRegistryClient:
    """Return the client of the schema registry. Raises CannotGoOn when the settings are missing or invalid."""
    try:
        client: SchemaRegistryClient | None = get_schema_registry_client()
    except ValueError as error:
        # The error's message quotes the URL, which may contain a password.
        raise CannotGoOn("EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL is not a URL, http://host:port/path.") from error
    if client is None:
        raise CannotGoOn("EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL is not set.")
    return client


def decode(topic: str, headers: Headers | None, value: bytes, broker_time: datetime | None) -> DecodedEvent:
    """Return the event in a message's headers and value.

    Raises DecodingUnavailable when the schema registry is unavailable, and CannotGoOn when none is configured; any
    other exception is about the message.
    """
    if headers is None:
        raise Undecodable("The names of its headers are not UTF-8")
    values: dict[str, list[str | bytes | None]] = {}
    for name, header in headers:
        values.setdefault(name, []).append(header)
    event_type = _only(values, HEADER_EVENT_TYPE.message_header_key)
    try:
        signal = OpenEdxPublicSignal.get_signal_by_type(event_type)
    except KeyError as error:
        raise Undecodable(f"No event type {event_type} in the installed openedx-events") from error
    _only(values, HEADER_ID.message_header_key)
    said = {
        header.event_metadata_field: _only(values, header.message_header_key)
        for header in MessageHeader.instances
        # Missing is not ambiguous; twice is.
        if header.event_metadata_field and header.message_header_key in values
    }
    try:
        data = _read(signal, registry(), topic, headers, value)
    except Exception as error:
        if any(_registry_is_unavailable(each) for each in iter_causes(error)):
            raise DecodingUnavailable("The schema registry is unavailable") from error
        raise
    if data is None:
        raise Undecodable("The message has no value")
    return DecodedEvent(signal, read_metadata(said, broker_time=broker_time), data)


def decode_stored(
    topic: str, position: str, headers: Mapping[str, str], value: bytes, broker_time: datetime | None
) -> DecodedEvent:
    """Decode a message that was stored; each of its headers occurred once."""
    return decode(topic, [(name, header.encode()) for name, header in headers.items()], value, broker_time)


def broker_time(received: KafkaMessage) -> datetime | None:
    """Return the time that the producer's client or the broker gave a message; Kafka stores it with the message."""
    read = getattr(received, "timestamp", None)
    kind, milliseconds = read() if read else (TIMESTAMP_NOT_AVAILABLE, 0)
    return None if kind == TIMESTAMP_NOT_AVAILABLE else from_milliseconds(milliseconds)


def _headers(received: KafkaMessage) -> Headers | None:
    """Return the message's headers; None when their names are not UTF-8, which the client requires."""
    try:
        return cast("Headers", list(received.headers() or []))
    except (SystemError, UnicodeDecodeError):  # the former, caused by the latter, from confluent-kafka 2.16
        return None


def _only(values: Mapping[str, list[str | bytes | None]], name: str) -> str:
    """Return a header's value. Raises Undecodable unless it occurs once."""
    found = values.get(name, ())
    if len(found) != 1:
        raise Undecodable(f"{len(found)} headers {name}; there must be one")
    return text(found[0])


def _read(
    signal: OpenEdxPublicSignal, client: SchemaRegistryClient, topic: str, headers: Headers, value: bytes
) -> dict[str, Any] | None:
    """Return the signal's arguments in a message's value.

    The library's deserializer does not detect bytes that are left over after the event, and repeats its look-ups for
    each message. It is used for what it alone knows: a schema id in a header, references between schemas, rules of a
    schema.
    """
    has_id_in_front = value[:1] == FRAMED and not any(name == HEADER_SCHEMA_ID for name, _ in headers)
    written = _writer(client, int.from_bytes(value[1:CONTENT_STARTS], "big")) if has_id_in_front else None
    if written is None:
        context = SerializationContext(topic, MessageField.VALUE, headers)
        data: dict[str, Any] | None = get_deserializer(signal, client)(value, context)
        return data
    deserializer, schema = _deserializer(signal)
    decoded: dict[str, Any] = deserializer.from_dict(read_whole(value[CONTENT_STARTS:], written, schema))
    return decoded


@lru_cache(maxsize=256)
def _writer(client: SchemaRegistryClient, schema_id: int) -> object | None:
    """Return the parsed schema with this id, which never changes; None if only the library can read with it."""
    schema = client.get_schema(schema_id)
    has_rules = bool(getattr(schema, "rule_set", None))  # earlier releases of the library have none
    if has_rules or not schema.schema_str or schema.references or schema.schema_type not in {None, "AVRO"}:
        return None
    return fastavro.parse_schema(json.loads(schema.schema_str))


@cache
def _deserializer(signal: OpenEdxPublicSignal) -> tuple[AvroSignalDeserializer, object]:
    deserializer = AvroSignalDeserializer(signal)
    return deserializer, fastavro.parse_schema(json.loads(deserializer.schema_string()))


def is_about_the_schema(error: SchemaRegistryError) -> bool:
    """Whether the error came from a registry and is about the requested schema."""
    return error.http_status_code in ABOUT_THE_SCHEMA and (error.error_code or 0) > 0


def _registry_is_unavailable(error: BaseException) -> bool:
    if isinstance(error, SchemaRegistryError):
        return not is_about_the_schema(error)
    if isinstance(error, json.JSONDecodeError):
        return True  # only the registry sends JSON here: for example, a login page answered instead
    # The registry client's HTTP library changes with its version: requests, httpx, httpx2.
    return isinstance(error, OSError) or any(base.__name__ == "TransportError" for base in type(error).__mro__)
