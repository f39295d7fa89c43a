"""Process events that the consumers, or a signal in this process, bring, and log the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol
from uuid import UUID

from openedx_events.data import EventsMetadata
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin import api, dependencies
from badges_plugin.data import BadgingEvent, Deferral
from badges_plugin.exceptions import DeferredEvent, IgnoredEvent
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

MAX_CHAIN = dependencies.MAX_CHAIN + 1
"""How many events may follow from one another: the first, and one for each badge, heard before the one before is done.
"""

_depth: ContextVar[int] = ContextVar("badges_plugin.receiving.depth", default=0)


class Carried(Protocol):
    """What a public signal carries."""

    @property
    def signal(self) -> OpenEdxPublicSignal: ...
    @property
    def metadata(self) -> EventsMetadata: ...
    @property
    def data(self) -> Mapping[str, object]: ...
    @property
    def read(self) -> BadgingEvent | Exception:
        """What badges read in it, or why they cannot: see ``read``."""


def receive(signal: OpenEdxPublicSignal, metadata: EventsMetadata, data: Mapping[str, object]) -> None:
    """Process an event and log the outcome, with the event's id and without personal data.

    An event that can never matter is logged and ignored. Raises DeferredEvent for one that may be applied later. Any
    other exception also means that the event was not applied; the caller must know.
    """
    try:
        with _one_deeper():
            outcome = api.handle_event(signal.event_type, metadata, data)
    except DeferredEvent:
        raise
    except IgnoredEvent as ignored:
        _log_ignored(signal.event_type, metadata.id, ignored)
    else:
        logger.info("Event %s %s: %s.", signal.event_type, metadata.id, outcome.value)


def hear(events: Sequence[BadgingEvent]) -> None:
    """Process events about badges of this service, for the badges that need them, and log the outcomes.

    Raises DeferredEvent when one of them may be applied later. Any other exception also means that some were not
    applied. The same ones, or some of them, can be given again.
    """
    with _one_deeper():
        outcomes = api.process_batch(events)
    for event, outcome in zip(events, outcomes, strict=True):
        if isinstance(outcome, DeferredEvent):
            raise outcome
        if isinstance(outcome, IgnoredEvent):
            _log_ignored(event.type, event.stamp.id, outcome)
        elif outcome is not api.Outcome.UNMATCHED:  # most badges are needed by none
            logger.info("Event %s %s: %s.", event.type, event.stamp.id, outcome.value)


def receive_batch(events: Sequence[Carried]) -> list[api.Outcome | Exception]:
    """Process events together; return what became of each, in their order.

    That is an exception for an event that cannot be read, an IgnoredEvent, which is logged, for one that must not be
    applied, and a DeferredEvent for one that may be applied later. Any exception that is raised means that some events
    were not applied: the same ones, or parts of them, can be given again.
    """
    read = [event.read for event in events]
    with _one_deeper():
        processed = iter(api.process_batch(event for event in read if isinstance(event, BadgingEvent)))
    outcomes: list[api.Outcome | Exception] = [
        next(processed) if isinstance(event, BadgingEvent) else event for event in read
    ]
    for event, outcome in zip(events, outcomes, strict=True):
        if isinstance(outcome, IgnoredEvent) and not isinstance(outcome, DeferredEvent):
            _log_ignored(event.signal.event_type, event.metadata.id, outcome)
    return outcomes


def read(signal: OpenEdxPublicSignal, metadata: EventsMetadata, data: Mapping[str, object]) -> BadgingEvent | Exception:
    """Return an event as badges read it, or the exception that says why it cannot be read."""
    try:
        return api.read_event(signal.event_type, metadata, data)
    except Exception as error:  # noqa: BLE001 - whatever the error, it is about this event alone
        return error


@contextmanager
def _one_deeper() -> Iterator[None]:
    """Count what happens inside as following from what is being processed. Raises DeferredEvent at the limit."""
    depth = _depth.set(_depth.get() + 1)
    try:
        if _depth.get() > MAX_CHAIN:
            raise DeferredEvent(
                "badges that depend on one another award and revoke each other without end",
                cause=Deferral.ENDLESS_CHAIN,
            )
        yield
    finally:
        _depth.reset(depth)


def _log_ignored(event_type: str, event_id: UUID, ignored: IgnoredEvent) -> None:
    logger.warning("Event %s %s ignored: %s.", event_type, event_id, ignored.reason)
