"""Process a failed event again after its cause was fixed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module

import attr
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from openedx_events.data import EventsMetadata
from openedx_events.event_bus.avro.deserializer import AvroSignalDeserializer
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin import dispatch
from badges_plugin.consumers.applying import receive
from badges_plugin.consumers.exceptions import ReceiversFailed
from badges_plugin.consumers.message import DecodedEvent
from badges_plugin.consumers.storing import error_columns
from badges_plugin.exceptions import BadgesError
from badges_plugin.models import FailedEvent
from badges_plugin.redaction import describe


class NotReprocessable(BadgesError):
    """The event cannot be processed again as it is; the message tells staff why and what to do."""


def process_again(failed: FailedEvent) -> None:
    """Apply the event as the consumer tried to, and mark ``failed`` as processed. An applied event changes nothing.

    The receivers of other apps got it from the consumer, unless it could not be decoded then; if so they get it now.
    Raises NotReprocessable if the event cannot be applied at all, and ReceiversFailed if it failed again; then
    ``attempts`` and ``reason`` are updated.
    """
    event = _read(failed)
    rows = FailedEvent.objects.filter(pk=failed.pk)
    try:
        _receive(event)
    except ReceiversFailed as error:
        columns = error_columns(error, attempts=failed.attempts + 1)
        # Not updated_at: an event that is retried again and again would never become old enough to be deleted.
        rows.update(attempts=F("attempts") + 1, **columns)
        raise
    rows.update(state=FailedEvent.State.PROCESSED, retry_at=None, updated_at=timezone.now())
    if failed.event_time is None:  # it could not be decoded
        dispatch.tell_others(event.signal, event.metadata, event.data)


def _receive(event: DecodedEvent) -> None:
    """Apply one event. Raises ReceiversFailed, also when it can be applied later."""
    (result,) = receive([event])
    if isinstance(result, ReceiversFailed):
        raise result


def _read(failed: FailedEvent) -> DecodedEvent:
    if failed.state == FailedEvent.State.PROCESSED:
        raise NotReprocessable(_("it was already processed"))
    return _as_stored(failed) if isinstance(failed.payload, Mapping) else _decode_again(failed)


def _as_stored(failed: FailedEvent) -> DecodedEvent:
    try:
        signal = OpenEdxPublicSignal.get_signal_by_type(failed.event_type)
    except KeyError:
        raise NotReprocessable(_("the installed openedx-events does not have its event type")) from None
    if not dispatch.is_connected(signal):
        raise _no_receiver()
    try:
        metadata = EventsMetadata.from_json(json.dumps(failed.metadata))
        # from_json omits it.
        metadata = attr.evolve(metadata, minorversion=failed.metadata.get("minorversion", 0))
        data = AvroSignalDeserializer(signal).from_dict(failed.payload)
    except Exception as error:
        # The data classes or key types of this release differ from those of the release that stored the event. They
        # may raise anything: InvalidKeyError is not even a ValueError.
        raise NotReprocessable(
            _("the installed openedx-events cannot read it (%(error)s)") % {"error": type(error).__name__}
        ) from error
    return DecodedEvent(signal, metadata, data)


def _decode_again(failed: FailedEvent) -> DecodedEvent:
    """Decode the stored bytes: the schema or event type that was unknown when it arrived may be known now."""
    try:
        decode = import_module(f"{__package__}.{failed.bus}_messages").decode_stored
        event: DecodedEvent = decode(
            failed.topic, failed.position, failed.metadata, bytes(failed.raw or b""), failed.broker_time
        )
    except Exception as error:
        raise NotReprocessable(
            _("its content still cannot be decoded (%(reason)s); have the sender send it again")
            % {"reason": describe(error)}
        ) from error
    if not event.signal.receivers:
        raise _no_receiver()
    return event


def _no_receiver() -> NotReprocessable:
    return NotReprocessable(_("nothing here receives events of its type; see “events” in BADGES_CONFIG"))
