"""Messages and events of either bus, as they are applied and stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from openedx_events.data import EventsMetadata
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin import receiving
from badges_plugin.data import BadgingEvent
from badges_plugin.redaction import one_line

MAX_HEADER_LENGTH = 255
"""Characters of a header that are logged."""


@dataclass(frozen=True)
class DecodedEvent:
    """An event with the data classes of openedx-events."""

    signal: OpenEdxPublicSignal
    metadata: EventsMetadata
    data: Mapping[str, object] = field(repr=False)
    """The arguments of the signal."""

    @cached_property
    def read(self) -> BadgingEvent | Exception:
        """The event as badges read it, or why they cannot."""
        return receiving.read(self.signal, self.metadata, self.data)


@dataclass(frozen=True)
class Message:
    """One message, not yet decoded.

    ``position`` locates it on the bus; ``event_id`` and ``event_type`` are the unchecked values of its headers.
    ``broker_time`` is when the broker received it, the same at every delivery; None if the broker does not say.
    ``decode`` raises DecodingUnavailable for a transient error; any other error means that this is not an event.
    """

    bus: str
    topic: str
    group: str
    position: str
    event_id: str
    event_type: str
    headers: Mapping[str, str] = field(repr=False)
    value: bytes = field(repr=False)
    decode: Callable[[], DecodedEvent] = field(repr=False)
    broker_time: datetime | None = None

    def __str__(self) -> str:
        event_id, event_type = (one_line(each, MAX_HEADER_LENGTH) or "?" for each in (self.event_id, self.event_type))
        return f"event {event_id} {event_type} ({self.bus} {self.topic} {self.position})"

    @property
    def fingerprint(self) -> str:
        """A hash that is the same for every delivery of this message to this group."""
        digest = hashlib.sha256("\0".join((self.bus, self.topic, self.group, self.position)).encode())
        digest.update(self.event_id.encode() + b"\0" + self.value)
        return digest.hexdigest()


def text(value: object) -> str:
    """Return a header's value as text that any database can store, whatever its bytes."""
    readable = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value or "")
    return readable.replace("\0", "\\x00")
