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

from ..exceptions import BadgesError
from ..models import FailedEvent
from ..redaction import describe
from .applying import send
from .failures import account_of
from .message import DecodedEvent
from .problems import ReceiversFailed


class NotReprocessable(BadgesError):
    """The event cannot be tried again as it is; the message, for staff, says why and what to do."""


def process_again(failed: FailedEvent) -> None:
    """
    Send the event to its receivers, as the consumer did; what was applied already changes nothing.

    ``failed`` becomes "processed". Raises NotReprocessable without having tried, and ReceiversFailed when it failed
    again: then ``failed`` is one attempt and another reason richer.
    """
    event = _read(failed)
    rows = FailedEvent.objects.filter(pk=failed.pk)
    try:
        send(event)
    except ReceiversFailed as error:
        account = account_of(error, attempts=failed.attempts + 1)
        rows.update(attempts=F("attempts") + 1, updated_at=timezone.now(), **account)
        raise
    rows.update(state=FailedEvent.State.PROCESSED, retry_at=None, updated_at=timezone.now())


def _read(failed: FailedEvent) -> DecodedEvent:
    if failed.state == FailedEvent.State.PROCESSED:
        raise NotReprocessable(_("it was processed already"))
    return _as_stored(failed) if isinstance(failed.payload, Mapping) else _from_the_bytes(failed)


def _as_stored(failed: FailedEvent) -> DecodedEvent:
    try:
        signal = OpenEdxPublicSignal.get_signal_by_type(failed.event_type)
    except KeyError:
        raise NotReprocessable(_("the installed openedx-events has no event of its type")) from None
    _require_receivers(signal)
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
    _require_receivers(event.signal)
    return event


def _require_receivers(signal: OpenEdxPublicSignal) -> None:
    if not signal.receivers:
        raise NotReprocessable(_("nothing here receives events of its type; see “events” in BADGES_CONFIG"))
