"""Send public events, and find out which of them the event bus accepted.

``send_event`` does not report this: the producers of the bus libraries log their errors and return. So this module
looks for the log record of an error, and checks whether the client's queue is empty afterwards.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from openedx_events.apps import general_signal_handler
from openedx_events.data import EventsMetadata
from openedx_events.event_bus import NoEventBusProducer, get_producer
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin import dispatch

FLUSH_SECONDS = 2.0
"""How long to wait for a broker. An event that it has not accepted by then is sent again later, with the same id."""

PRODUCER_LOGGERS = ("edx_event_bus_kafka.internal.producer", "edx_event_bus_redis.internal.producer")

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

NO_PRODUCER = f"{NoEventBusProducer.__module__}.{NoEventBusProducer.__qualname__}"


@dataclass(frozen=True)
class PublicEvent:
    """An event with its own id and time."""

    signal: OpenEdxPublicSignal
    metadata: EventsMetadata
    data: Mapping[str, object]


def publish(events: Sequence[PublicEvent]) -> set[UUID]:
    """Send events to receivers here and to the bus, and wait once for it; return the ids of those that the bus has.

    So are those for which no bus is configured, or none for this type of event. Our own receiver does not hear them.
    """
    on_bus = {event.metadata.id for event in events if is_published(event.signal.event_type)}
    reports = _FailureReports(on_bus)
    loggers = [logging.getLogger(name) for name in PRODUCER_LOGGERS] if on_bus else []
    for logger in loggers:
        logger.addFilter(reports)
    try:
        raised = {event.metadata.id for event in events if _producer_raised(_send(event))}
        failed = on_bus if on_bus and not _is_taken() else on_bus & (raised | reports.seen)
    finally:
        for logger in loggers:
            logger.removeFilter(reports)
    return {event.metadata.id for event in events} - failed


def has_listeners(signal: OpenEdxPublicSignal) -> bool:
    """Return whether anybody is to be sent events of this type: the bus, or receivers of other apps."""
    # The handler of openedx-events only passes them on to the bus.
    return is_published(signal.event_type) or dispatch.has_others(signal, beside=general_signal_handler)


def is_published(event_type: str) -> bool:
    """Return whether the settings have a producer, and an enabled topic for events of this type."""
    topics = (getattr(settings, "EVENT_BUS_PRODUCER_CONFIG", None) or {}).get(event_type, {})
    has_producer = getattr(settings, "EVENT_BUS_PRODUCER", None) not in {None, "", NO_PRODUCER}
    return has_producer and any(topic.get("enabled") is True for topic in topics.values())


def disabled_loggers() -> list[str]:
    """Return the producers' loggers that suppress errors: events that they fail to send would count as sent."""
    return [name for name in PRODUCER_LOGGERS if not logging.getLogger(name).isEnabledFor(logging.ERROR)]


def _send(event: PublicEvent) -> dispatch.Responses:
    # Our receiver would hear what the badges that need this one were told already.
    with dispatch.done_here(event.metadata.id):
        # Not a method of openedx-events: send_event generates an id, and send_event_with_custom_metadata marks the
        # event as coming from the bus, so that it is not published. With DEBUG on both stop at the first receiver
        # that raises, possibly another app's, before the producer.
        return dispatch.send_to_all(event.signal, event.metadata, event.data, from_event_bus=False)


def _producer_raised(responses: Iterable[tuple[object, object]]) -> bool:
    """Return whether the receiver that passes events to the producer raised an exception."""
    return any(
        receiver is general_signal_handler and isinstance(response, BaseException) for receiver, response in responses
    )


def _is_taken() -> bool:
    """Wait until the producer's queue is empty. The Redis producer has none: it waits for each answer itself."""
    producer = get_producer()
    if isinstance(producer, NoEventBusProducer):
        return False  # A producer is configured but could not be created; openedx-events has warned.
    client = getattr(producer, "producer", None)
    flush = getattr(client, "flush", None)
    return flush is None or flush(FLUSH_SECONDS) == 0


class _FailureReports(logging.Filter):
    """Detects a producer's error reports about these events, and removes the learners they quote from the log."""

    def __init__(self, event_ids: Iterable[UUID]) -> None:
        super().__init__()
        self._ids = {str(event_id): event_id for event_id in event_ids}
        self.seen: set[UUID] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.ERROR:
            return True
        quoted = [text for text in _UUID.findall(record.getMessage()) if text in self._ids]
        if quoted:
            self.seen.update(self._ids[text] for text in quoted)
            cause = record.exc_info[1] if record.exc_info else None
            # The libraries wrap the error in an exception of their own.
            wrapped = cause.args[0] if cause is not None and cause.args else None
            what = wrapped if isinstance(wrapped, BaseException) else cause
            record.msg = "Event %s could not be published: %s"
            record.args = (quoted[0], type(what).__name__)
            record.exc_info = record.exc_text = None
        return True
