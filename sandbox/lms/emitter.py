"""Send events as the platform does: by a public signal, which openedx-events passes to the bus producer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from openedx_events.apps import general_signal_handler
from openedx_events.data import EventsMetadata
from openedx_events.event_bus import get_producer
from openedx_events.event_bus.avro.deserializer import AvroSignalDeserializer
from openedx_events.tooling import OpenEdxPublicSignal

from sandbox.lms.shapes import KINDS, Content, Facts

PRODUCER_LOGGERS = ("edx_event_bus_kafka", "edx_event_bus_redis")


class NotSent(ValueError):
    """Raised when the command asks for an event that this process cannot send. The message says why."""


GRADED = ("passing", "ccx-passing")


@dataclass(frozen=True)
class Event:
    """One event to send. Without ``id`` and ``time`` it gets new ones."""

    type: str
    content: Content
    time: datetime | None = None
    id: UUID | None = None

    @classmethod
    def from_command(cls, command: Mapping[str, object]) -> Event:
        """Read a command of one of two forms, each with an optional "time" (ISO 8601) and "id" (UUID).

        ``{"event": "passing", "user_id": 7, "username": "ann", …}`` has the fields of ``Facts``;
        ``{"type": "org.openedx…", "data": {…}}`` has the whole content.
        """
        rest = dict(command)
        time, event_id = rest.pop("time", None), rest.pop("id", None)
        identity = {
            "time": datetime.fromisoformat(str(time)) if time else None,
            "id": UUID(str(event_id)) if event_id else None,
        }
        if "type" in rest:
            return cls(str(rest["type"]), dict(rest["data"]), **identity)  # type: ignore[call-overload, arg-type]
        name = str(rest.pop("event", ""))
        unknown = rest.keys() - Facts.names()
        if name not in KINDS or unknown:
            raise NotSent(f"No event {name!r} with {sorted(unknown)}; events: {', '.join(KINDS)}.")
        kind = KINDS[name]
        return cls(kind.event_type, kind.content(Facts(**rest)), **identity)  # type: ignore[arg-type]


def save_grade(command: Mapping[str, object]) -> None:
    """Save the grade that an event is about, where the LMS side has a database."""
    if command.get("event") not in GRADED or not settings.DATABASES:
        return
    from sandbox.lms.grades.models import save_grade as save  # there is no such table without a database

    facts = {name: value for name, value in command.items() if name in Facts.names()}
    time = command.get("time")
    save(Facts(**facts), datetime.fromisoformat(str(time)) if time else datetime.now(UTC))  # type: ignore[arg-type]


def emit(event: Event) -> EventsMetadata:
    """Send ``event`` and return its metadata. Raises NotSent when no topic is configured for its type."""
    if event.type not in settings.EVENT_BUS_PRODUCER_CONFIG:
        raise NotSent(f"EVENT_BUS_PRODUCER_CONFIG names no topic for {event.type}.")
    signal = OpenEdxPublicSignal.get_signal_by_type(event.type)
    data = AvroSignalDeserializer(signal).from_dict(event.content)
    if event.id is not None:
        # The public API makes a new id for each event; to send one twice is the producer's retry, done by hand.
        metadata = EventsMetadata(event_type=event.type, id=event.id, time=event.time)
        general_signal_handler(None, signal, metadata=metadata, **data)
        return metadata
    seen: list[EventsMetadata] = []

    def remember(metadata: EventsMetadata, **_: object) -> None:
        seen.append(metadata)

    signal.connect(remember)
    try:
        signal.send_event(send_robust=False, time=event.time, **data)
    finally:
        signal.disconnect(remember)
    return seen[0]


def flush() -> None:
    """Wait until the broker has everything that was sent. Redis has it already."""
    producer = get_producer()
    if hasattr(producer, "prepare_for_shutdown"):
        producer.prepare_for_shutdown()


class ProducerErrors(logging.Handler):
    """Counts errors that producers only log: for a sender, a lost event looks like a sent one."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.count = 0
        for name in PRODUCER_LOGGERS:
            logging.getLogger(name).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1
