"""Giving a failed event another try, once what was in its way is mended."""

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
    """The event cannot be tried again as it is; the message, for staff, says why and what to do."""


def process_again(failed: FailedEvent) -> None:
    """Apply the event, as the consumer tried to; what was applied already changes nothing.

    The receivers of other apps had it from the consumer. One that nobody could read then is news to them as well.
    ``failed`` becomes "processed". Raises NotReprocessable without having tried, and ReceiversFailed when it failed
    again: then ``failed`` is one attempt and another reason richer.
    """
    event = _read(failed)
    rows = FailedEvent.objects.filter(pk=failed.pk)
    try:
        receive(event)
    except ReceiversFailed as error:
        account = error_columns(error, attempts=failed.attempts + 1)
        # Not updated_at: what is tried again and again would never grow old enough to be deleted.
        rows.update(attempts=F("attempts") + 1, **account)
        raise
    rows.update(state=FailedEvent.State.PROCESSED, retry_at=None, updated_at=timezone.now())
    if failed.event_time is None:  # it could not be read
        dispatch.tell_others(event.signal, event.metadata, event.data)


def _read(failed: FailedEvent) -> DecodedEvent:
    if failed.state == FailedEvent.State.PROCESSED:
        raise NotReprocessable(_("it was processed already"))
    return _as_stored(failed) if isinstance(failed.payload, Mapping) else _from_the_bytes(failed)


def _as_stored(failed: FailedEvent) -> DecodedEvent:
    try:
        signal = OpenEdxPublicSignal.get_signal_by_type(failed.event_type)
    except KeyError:
        raise NotReprocessable(_("the installed openedx-events has no event of its type")) from None
    if not dispatch.is_connected(signal):
        raise _nobody_listens()
    try:
        metadata = EventsMetadata.from_json(json.dumps(failed.metadata))
        # from_json leaves it out.
        metadata = attr.evolve(metadata, minorversion=failed.metadata.get("minorversion", 0))
        data = AvroSignalDeserializer(signal).from_dict(failed.payload)
    except Exception as error:
        # The data classes, or the kinds of keys, of another release than the one that stored it. What they raise is
        # theirs to choose: InvalidKeyError is not even a ValueError.
        raise NotReprocessable(
            _("the installed openedx-events cannot read it (%(error)s)") % {"error": type(error).__name__}
        ) from error
    return DecodedEvent(signal, metadata, data)


def _from_the_bytes(failed: FailedEvent) -> DecodedEvent:
    """Decode it once more: the schema, or the event's type, that was unknown when it arrived may be known by now."""
    try:
        decode = import_module(f"{__package__}.{failed.bus}_messages").decode_stored
        event: DecodedEvent = decode(
            failed.topic, failed.position, failed.metadata, bytes(failed.raw or b""), failed.broker_time
        )
    except Exception as error:
        raise NotReprocessable(
            _("its content still cannot be read (%(reason)s); have the sender send it again")
            % {"reason": describe(error)}
        ) from error
    if not event.signal.receivers:
        raise _nobody_listens()
    return event


def _nobody_listens() -> NotReprocessable:
    return NotReprocessable(_("nothing here receives events of its type; see “events” in BADGES_CONFIG"))
