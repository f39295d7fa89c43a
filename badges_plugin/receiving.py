"""Process an event that the consumers, or a signal in this process, bring, and log the outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
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


def receive(signal: OpenEdxPublicSignal, metadata: EventsMetadata, data: Mapping[str, object]) -> None:
    """Process an event and log the outcome, with the event's id and without personal data.

    An event that can never matter is logged and ignored. Raises DeferredEvent for one that may be applied later. Any
    other exception also means that the event was not applied; the caller must know.
    """
    outcome = _in_chain(signal.event_type, metadata.id, lambda: api.handle_event(signal.event_type, metadata, data))
    if outcome is not None:
        logger.info("Event %s %s: %s.", signal.event_type, metadata.id, outcome.value)


def hear(event: BadgingEvent) -> None:
    """Process an event about a badge of this service, for the badges that need it, as ``receive`` does."""
    outcome = _in_chain(event.type, event.stamp.id, lambda: api.process_event(event))
    if outcome is not None and outcome is not api.Outcome.UNMATCHED:  # most badges are needed by none
        logger.info("Event %s %s: %s.", event.type, event.stamp.id, outcome.value)


def _in_chain(event_type: str, event_id: UUID, process: Callable[[], api.Outcome]) -> api.Outcome | None:
    """Return the outcome of an event, or None when it was ignored, which is logged."""
    depth = _depth.set(_depth.get() + 1)
    try:
        _refuse_endless_chain()
        return process()
    except DeferredEvent:
        raise
    except IgnoredEvent as ignored:
        logger.warning("Event %s %s ignored: %s.", event_type, event_id, ignored.reason)
        return None
    finally:
        _depth.reset(depth)


def _refuse_endless_chain() -> None:
    if _depth.get() > MAX_CHAIN:
        raise DeferredEvent(
            "badges that depend on one another award and revoke each other without end", cause=Deferral.ENDLESS_CHAIN
        )
