"""Storing what could not be applied."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from openedx_events.event_bus.avro.serializer import AvroSignalSerializer

from ..models import FailedEvent
from .message import DecodedEvent, Message
from .redaction import describe


def store(message: Message, decoded: DecodedEvent | None, error: BaseException) -> None:
    """
    Keep ``message`` whole as a FailedEvent; the same message again counts as a further attempt.

    ``decoded`` is None when the message could not be read. Raises DatabaseError when it cannot be kept.
    """
    facts: dict[str, Any] = {
        "bus": message.bus,
        "topic": message.topic[:255],
        "group": message.group[:255],
        "position": message.position[:64],
        "event_id": message.event_id[:64],
        "event_type": message.event_type[:255],
        "event_time": decoded.metadata.time if decoded else None,
        "metadata": decoded.metadata.to_json_data() if decoded else dict(message.headers),
        "payload": _payload(decoded) if decoded else None,
        "raw": message.value,
        **account_of(error),
    }
    with transaction.atomic():
        row, created = FailedEvent.objects.get_or_create(fingerprint=message.fingerprint, defaults=facts)
        if not created:
            # A message that comes again, by a replay say, fails again whatever was decided about it before.
            FailedEvent.objects.filter(pk=row.pk).update(
                attempts=F("attempts") + 1,
                state=FailedEvent.State.FAILED,
                **{name: facts[name] for name in ("reason", "error", "metadata", "payload", "event_time")},
            )


def account_of(error: BaseException) -> dict[str, str]:
    """Return the columns ``reason``, which names nobody, and ``error``, which may."""
    # Errors of any script must fit a column of any character set, and PostgreSQL takes no NUL in a text.
    whole = "".join(traceback.format_exception(error)).encode("ascii", "backslashreplace").decode()
    return {"reason": describe(error)[:255], "error": whole.replace("\0", "\\x00")}


def _payload(decoded: DecodedEvent) -> Mapping[str, object] | None:
    """Return the event's content as JSON can carry it, or None when a database could not keep it."""
    content: Mapping[str, object] = AvroSignalSerializer(decoded.signal).to_dict(decoded.data)
    return None if "\\u0000" in json.dumps(content) else content
