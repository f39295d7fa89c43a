"""Sending a public event so that its sender learns whether the event bus has it.

``send_event`` tells nobody: the producers of the bus libraries log their failures and return. What can be known
is put together here: the log record of a failure, and whether the client's queue is empty afterwards.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from openedx_events.apps import general_signal_handler
from openedx_events.data import EventsMetadata
from openedx_events.event_bus import NoEventBusProducer, get_producer
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin import dispatch

FLUSH_SECONDS = 2.0
"""How long a broker is waited for. What it has not taken by then is announced again later, with the same id."""

PRODUCER_LOGGERS = ("edx_event_bus_kafka.internal.producer", "edx_event_bus_redis.internal.producer")

NO_PRODUCER = f"{NoEventBusProducer.__module__}.{NoEventBusProducer.__qualname__}"


def publish(signal: OpenEdxPublicSignal, metadata: EventsMetadata, **data: object) -> bool:
    """Send an event, with its own id and time, to receivers here and to the bus. Whether the bus has it now.

    True where no bus is configured, or none for this type of event.
    """
    reports = _FailureReports(metadata.id)
    loggers = [logging.getLogger(name) for name in PRODUCER_LOGGERS]
    for logger in loggers:
        logger.addFilter(reports)
    try:
        # Not a method of openedx-events: send_event makes up an id, send_event_with_custom_metadata says that the
        # event came from the bus, so that it is not published, and with DEBUG on both stop at the first receiver
        # that raises, which may be somebody else's, before the producer.
        responses = dispatch.send_to_all(signal, metadata, data, from_event_bus=False)
        if not is_published(signal.event_type):
            return True
        return _is_taken() and not reports.seen and not _producer_raised(responses)
    finally:
        for logger in loggers:
            logger.removeFilter(reports)


def is_published(event_type: str) -> bool:
    """Whether the settings name a producer, and a topic for events of this type."""
    topics = (getattr(settings, "EVENT_BUS_PRODUCER_CONFIG", None) or {}).get(event_type, {})
    has_producer = getattr(settings, "EVENT_BUS_PRODUCER", None) not in {None, "", NO_PRODUCER}
    return has_producer and any(topic.get("enabled") is True for topic in topics.values())


def disabled_loggers() -> list[str]:
    """The producers' loggers that let no errors through: what they fail to send would count as sent."""
    return [name for name in PRODUCER_LOGGERS if not logging.getLogger(name).isEnabledFor(logging.ERROR)]


def _producer_raised(responses: Iterable[tuple[object, object]]) -> bool:
    """Whether the receiver that hands events to the producer failed, before it could even report that."""
    return any(
        receiver is general_signal_handler and isinstance(response, BaseException) for receiver, response in responses
    )


def _is_taken() -> bool:
    """Wait until the producer's queue is empty. Redis has none: its producer waits for each answer itself."""
    producer = get_producer()
    if isinstance(producer, NoEventBusProducer):
        return False  # A producer is configured and could not be made; openedx-events has warned.
    client = getattr(producer, "producer", None)
    flush = getattr(client, "flush", None)
    return flush is None or flush(FLUSH_SECONDS) == 0


class _FailureReports(logging.Filter):
    """Notices that a producer reports a failure of this event, and keeps the learner it quotes out of the log."""

    def __init__(self, event_id: UUID) -> None:
        super().__init__()
        self._id = str(event_id)
        self.seen = False

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR and self._id in record.getMessage():
            self.seen = True
            cause = record.exc_info[1] if record.exc_info else None
            # The libraries wrap what happened in an exception of their own.
            wrapped = cause.args[0] if cause is not None and cause.args else None
            what = wrapped if isinstance(wrapped, BaseException) else cause
            record.msg = "Event %s could not be published: %s"
            record.args = (self._id, type(what).__name__)
            record.exc_info = record.exc_text = None
        return True
