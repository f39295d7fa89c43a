"""Give the synthetic events to the event bus or, without one, to the processing in this process."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from django.conf import settings
from openedx_events.event_bus import EventBusProducer, NoEventBusProducer, get_producer

from badges_plugin import api
from badges_plugin.consumers.message import DecodedEvent
from badges_plugin.distribution.load_test.exceptions import CannotMeasure
from badges_plugin.exceptions import IgnoredEvent
from badges_plugin.logs import get_logger

BATCH = 100
FLUSH_SECONDS = 60.0
KEY_FIELDS = {
    "course": "course_passing_status.course.course_key",
    "learner": "course_passing_status.user.id",
}
"""By which the events are spread over the partitions of Kafka. Redis has none."""


class Sender(Protocol):
    """Takes events; a context manager."""

    window: int | None
    """How many events may wait to be applied at most."""

    def __enter__(self) -> object: ...
    def __exit__(self, *args: Any) -> None: ...
    def send(self, events: Sequence[DecodedEvent]) -> None:
        """Hand over some events. Raises CannotMeasure when they are not taken."""


class InProcess:
    """Applies events in this process: the database is measured, and no bus."""

    window: int | None = None

    def __init__(self) -> None:
        self._logger = get_logger("badges_plugin")
        self._level = self._logger.level

    def __enter__(self) -> Self:
        # It logs each event, several times.
        self._logger.setLevel(logging.WARNING)
        return self

    def __exit__(self, *args: object) -> None:
        self._logger.setLevel(self._level)

    def send(self, events: Sequence[DecodedEvent]) -> None:
        read = [api.read_event(each.signal.event_type, each.metadata, each.data) for each in events]
        for outcome in api.process_batch(read):
            if isinstance(outcome, IgnoredEvent):
                raise CannotMeasure(f"A synthetic event was not applied: {outcome.reason}.")


class Bus(logging.Handler):
    """Sends events with the producer of EVENT_BUS_PRODUCER, whose failures are only in its log."""

    def __init__(self, topic: str, key: str) -> None:
        super().__init__(logging.ERROR)
        self._producer = _producer()
        self._topic = topic
        self._key_field = KEY_FIELDS[key]
        self._failures = 0
        self._logger = logging.getLogger(type(self._producer).__module__)
        self._usual_level = self._logger.level
        self.window = _window(type(self._producer))

    def __enter__(self) -> Self:
        self._logger.addHandler(self)
        # It logs each event that it has delivered.
        self._logger.setLevel(logging.WARNING)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._usual_level)

    def emit(self, record: logging.LogRecord) -> None:
        """Count what the producer reports."""
        self._failures += 1

    def send(self, events: Sequence[DecodedEvent]) -> None:
        for event in events:
            self._producer.send(
                signal=event.signal,
                topic=self._topic,
                event_key_field=self._key_field,
                event_data=dict(event.data),
                event_metadata=event.metadata,
            )
        client: Any = getattr(self._producer, "producer", None)
        flush = getattr(client, "flush", None)
        if self._failures or (flush is not None and flush(FLUSH_SECONDS)):
            raise CannotMeasure("The event bus did not take an event; the log says why. Run badges_doctor.")


def _producer() -> EventBusProducer:
    # Unset, openedx-events would warn of it and go on with one that does nothing.
    if getattr(settings, "EVENT_BUS_PRODUCER", None):
        producer = get_producer()
        if not isinstance(producer, NoEventBusProducer):
            return producer
    raise CannotMeasure(
        "EVENT_BUS_PRODUCER names no producer that can be used here. Configure one, or measure without a bus: "
        "--in-process."
    )


def _window(producer: type[EventBusProducer]) -> int | None:
    """Return how many events may wait: a Redis stream drops the oldest entries, read or not, when it is too long."""
    longest = getattr(settings, "EVENT_BUS_REDIS_STREAM_MAX_LEN", None) or 10_000
    return max(int(longest) // 2, 1) if "redis" in producer.__module__ else None
