"""Send public events to the receivers in this process: ours, and those of other apps.

An exception of another app's receiver is logged, without personal data, and counted. It never makes our part of the
event fail, and never keeps the event from later receivers, not even with DEBUG on, when openedx-events stops at the
first exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.dispatch import Signal
from edx_django_utils.monitoring import set_custom_attribute
from openedx_events.data import EventsMetadata
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin.logs import get_logger, redacted_reports
from badges_plugin.redaction import describe_with_traceback

logger = get_logger(__name__)

PACKAGE = __name__.partition(".")[0]

UID = "badges_plugin.handlers"
"""The dispatch uid with which our receiver is connected to public events."""

Responses = Sequence[tuple[object, object]]

_done_here: ContextVar[UUID | None] = ContextVar("badges_plugin.dispatch.done_here", default=None)


def send_to_all(
    signal: OpenEdxPublicSignal, metadata: EventsMetadata, data: Mapping[str, object], *, from_event_bus: bool
) -> Responses:
    """Send an event to every receiver; return what each returned or raised.

    Errors of other apps' receivers are already logged when this returns; the caller handles errors of ours.
    """
    with redacted_reports():
        # Django's own method: with DEBUG on, those of openedx-events are never robust, whatever they are asked for.
        # The order of the arguments is theirs: the host's built-in badges app takes the first for the payload.
        responses: Responses = Signal.send_robust(
            signal, sender=None, **data, metadata=metadata, from_event_bus=from_event_bus
        )
    _report(metadata, responses)
    return responses


def tell_others(signal: OpenEdxPublicSignal, metadata: EventsMetadata, data: Mapping[str, object]) -> None:
    """Send an event from the bus to the receivers of other apps. Ours has been called already.

    Raises only exceptions that are meant to end the process.
    """
    with done_here(metadata.id):
        try:
            send_to_all(signal, metadata, data, from_event_bus=True)
        except SystemExit as error:
            # It would end the consumer, perhaps with exit code 0, at each delivery.
            _report(metadata, [("a receiver", error)])


@contextmanager
def done_here(event_id: UUID) -> Iterator[None]:
    """Make our receiver skip the event with this id, which was processed already."""
    token = _done_here.set(event_id)
    try:
        yield
    finally:
        _done_here.reset(token)


def is_done_here(metadata: EventsMetadata) -> bool:
    """Whether the event was processed already, so that our receiver must skip it."""
    return bool(_done_here.get() == metadata.id)


def is_ours(receiver: object) -> bool:
    """Whether a receiver is one of this distribution."""
    return str(getattr(receiver, "__module__", "")).partition(".")[0] == PACKAGE


def receiver_name(receiver: object) -> str:
    """Return where a receiver is defined, for the log."""
    if isinstance(receiver, str):
        return receiver
    return f"{getattr(receiver, '__module__', '?')}.{getattr(receiver, '__qualname__', type(receiver).__qualname__)}"


def is_connected(signal: OpenEdxPublicSignal) -> bool:
    """Whether our receiver is connected to the signal."""
    return any(lookup[0] == UID for lookup, *_ in signal.receivers)


def has_others(signal: OpenEdxPublicSignal, *, beside: object = None) -> bool:
    """Whether receivers other than ours, and than the function ``beside``, are connected to the signal."""
    # Django keeps a receiver's id where no dispatch uid was given.
    return any(lookup[0] not in {UID, id(beside)} for lookup, *_ in signal.receivers)


def put_first(signal: OpenEdxPublicSignal, dispatch_uid: str = UID) -> None:
    """Make our receiver, or the one that was connected with ``dispatch_uid``, the first of the signal.

    Receivers are called in the order in which they were connected, and Django has no way to ask for another. With
    DEBUG on, an exception of one that is called earlier would keep the event from ours.
    """
    with signal.lock:
        signal.receivers.sort(key=lambda entry: entry[0][0] != dispatch_uid)
        signal.sender_receivers_cache.clear()


def _report(metadata: EventsMetadata, responses: Iterable[tuple[object, object]]) -> None:
    """Log what others raised, and count it.

    .. custom_attribute_name: badges_others_failed
    .. custom_attribute_description: Number of receivers of other apps that raised while the event was sent to them.
    """
    failed = 0
    for receiver, response in responses:
        if isinstance(response, BaseException) and not is_ours(receiver):
            failed += 1
            logger.error(
                "Event %s %s: the receiver %s, which is not ours, failed with %s",
                metadata.event_type,
                metadata.id,
                receiver_name(receiver),
                describe_with_traceback(response),
            )
    if failed:
        set_custom_attribute("badges_others_failed", failed)
