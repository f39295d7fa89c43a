"""Giving a failed event another try, once what was in its way is mended."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from openedx_events.data import EventsMetadata
from openedx_events.event_bus.avro.deserializer import AvroSignalDeserializer
from openedx_events.tooling import OpenEdxPublicSignal

from ..exceptions import BadgesError
from ..models import FailedEvent
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
        rows.update(attempts=F("attempts") + 1, updated_at=timezone.now(), **account_of(error))
        raise
    rows.update(state=FailedEvent.State.PROCESSED, updated_at=timezone.now())


def _read(failed: FailedEvent) -> DecodedEvent:
    if failed.state == FailedEvent.State.PROCESSED:
        raise NotReprocessable(_("it was processed already"))
    if not isinstance(failed.payload, Mapping):
        raise NotReprocessable(
            _("its content could not be read when it arrived (%(reason)s); have the sender send it again")
            % {"reason": failed.reason}
        )
    try:
        signal = OpenEdxPublicSignal.get_signal_by_type(failed.event_type)
    except KeyError:
        raise NotReprocessable(_("the installed openedx-events has no event of its type")) from None
    if not signal.receivers:
        raise NotReprocessable(_("nothing here receives events of its type; see “events” in BADGES_CONFIG"))
    try:
        metadata = EventsMetadata.from_json(json.dumps(failed.metadata))
        data = AvroSignalDeserializer(signal).from_dict(failed.payload)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        # The data classes of another release of openedx-events than the one that stored it.
        raise NotReprocessable(
            _("the installed openedx-events cannot read it (%(error)s)") % {"error": type(error).__name__}
        ) from error
    return DecodedEvent(signal, metadata, data)
