"""What our receiver does with an event, whoever brings it: the consumers, or a signal sent in this process."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar

from openedx_events.data import EventsMetadata
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin import api
from badges_plugin.data import Deferral
from badges_plugin.exceptions import DeferredEvent, IgnoredEvent
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

MAX_CHAIN = 10
"""How many badges may follow from one another: each is announced, and heard here, before the one before is done."""

_depth: ContextVar[int] = ContextVar("badges_plugin.receiving.depth", default=0)


def receive(signal: OpenEdxPublicSignal, metadata: EventsMetadata, data: Mapping[str, object]) -> None:
    """Process an event and log what became of it, with its id and without personal data.

    What can never matter is logged and done with. Raises DeferredEvent for what may be applied later. Any other
    exception means as well that the event was not applied; whoever brought it must know.
    """
    depth = _depth.set(_depth.get() + 1)
    try:
        _refuse_endless_chain()
        outcome = api.handle_event(signal.event_type, metadata, data)
    except DeferredEvent:
        raise
    except IgnoredEvent as ignored:
        logger.warning("Event %s %s ignored: %s.", signal.event_type, metadata.id, ignored.reason)
    else:
        logger.info("Event %s %s: %s.", signal.event_type, metadata.id, outcome.value)
    finally:
        _depth.reset(depth)


def _refuse_endless_chain() -> None:
    if _depth.get() > MAX_CHAIN:
        raise DeferredEvent(
            "badges that depend on one another award and revoke each other without end", cause=Deferral.ENDLESS_CHAIN
        )
