"""From a Kafka message to an event, with the bus library's own decoding and metadata."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from confluent_kafka import Message as KafkaMessage
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext
from edx_event_bus_kafka.internal.config import get_schema_registry_client
from edx_event_bus_kafka.internal.consumer import get_deserializer
from edx_event_bus_kafka.internal.utils import HEADER_EVENT_TYPE, HEADER_ID, _get_metadata_from_headers
from openedx_events.tooling import OpenEdxPublicSignal

from .database import chain
from .message import DecodedEvent, Message, text
from .problems import DecodingUnavailable, Undecodable

BUS = "kafka"
Headers = list[tuple[str, str | bytes | None]]
# The registry's answers about one schema or request; any other status is about the registry.
ABOUT_THE_SCHEMA = frozenset({404, 422})


def message_from(received: KafkaMessage, group: str) -> Message:
    """Return what of ``received`` can be known without decoding it."""
    topic = received.topic() or ""
    headers = cast("Headers", list(received.headers() or []))
    value = received.value() or b""
    readable = {text(name): text(header) for name, header in headers}
    return Message(
        bus=BUS,
        topic=topic,
        group=group,
        position=f"{received.partition()}:{received.offset()}",
        event_id=readable.get(HEADER_ID.message_header_key, ""),
        event_type=readable.get(HEADER_EVENT_TYPE.message_header_key, ""),
        headers=readable,
        value=value,
        decode=partial(decode, topic, headers, value),
    )


def decode(topic: str, headers: Headers, value: bytes) -> DecodedEvent:
    """
    Return the event in a message's headers and value.

    Raises DecodingUnavailable when the schema registry is away; whatever else it raises is about the message.
    """
    event_type = _only(headers, HEADER_EVENT_TYPE.message_header_key)
    try:
        signal = OpenEdxPublicSignal.get_signal_by_type(event_type)
    except KeyError as error:
        raise Undecodable(f"No event type {event_type} in the installed openedx-events") from error
    metadata = _get_metadata_from_headers(headers)
    deserializer = get_deserializer(signal, get_schema_registry_client())
    try:
        data: dict[str, Any] | None = deserializer(value, SerializationContext(topic, MessageField.VALUE, headers))
    except Exception as error:
        if any(_registry_is_away(each) for each in chain(error)):
            raise DecodingUnavailable("The schema registry is away") from error
        raise
    if data is None:
        raise Undecodable("The message has no value")
    return DecodedEvent(signal, metadata, data)


def _only(headers: Headers, name: str) -> str:
    values = [value for key, value in headers if key == name]
    if len(values) != 1:
        raise Undecodable(f"{len(values)} headers {name}, there must be one")
    return text(values[0])


def _registry_is_away(error: BaseException) -> bool:
    if isinstance(error, SchemaRegistryError):
        return error.http_status_code not in ABOUT_THE_SCHEMA
    # The registry client's HTTP library changes with its version: requests, httpx, httpx2.
    return isinstance(error, OSError) or any(base.__name__ == "TransportError" for base in type(error).__mro__)
