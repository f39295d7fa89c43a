"""Storing what could not be applied."""

from __future__ import annotations

import json
import traceback
from typing import Any

from django.db import transaction
from django.db.models import F
from openedx_events.event_bus.avro.serializer import AvroSignalSerializer

from ..models import FailedEvent
from ..redaction import describe, one_line
from .message import DecodedEvent, Message

LARGEST = 3 * 2**20
"""So much of a value is kept, in bytes: twice, as it is and decoded, and escaped, it fits a packet of 16 MB, which is
the least that the databases of today take. Brokers refuse what is over 1 MB unless they are told otherwise."""
LONGEST_TEXT = 2**16


def store(message: Message, decoded: DecodedEvent | None, error: BaseException) -> None:
    """
    Keep ``message`` as a FailedEvent, whole unless it is huge; the same message again counts as a further attempt.

    ``decoded`` is None when the message could not be read. Raises DatabaseError when it cannot be kept.
    """
    content = _content(decoded) if decoded else None
    facts: dict[str, Any] = {
        "bus": message.bus,
        "topic": message.topic[:255],
        "group": message.group[:255],
        "position": message.position[:64],
        "event_id": _plain(one_line(message.event_id))[:64],
        "event_type": _plain(one_line(message.event_type))[:255],
        "event_time": decoded.metadata.time if decoded else None,
        # Headers and bytes, when that is all that can be kept: they can be decoded again.
        "metadata": content[0] if content else _storable(dict(message.headers), LONGEST_TEXT) or {},
        "payload": content[1] if content else None,
        "raw": message.value[:LARGEST],
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
    whole = _plain("".join(traceback.format_exception(error)))
    return {"reason": _plain(describe(error))[:255], "error": whole[:LONGEST_TEXT]}


def _plain(text: str) -> str:
    """Return ``text`` as a column of any character set can keep it; PostgreSQL takes no NUL in a text."""
    return text.encode("ascii", "backslashreplace").decode().replace("\0", "\\x00")


def _content(decoded: DecodedEvent) -> tuple[object, object] | None:
    """Return metadata and content of an event as JSON can carry them, or None when a database could not keep them."""
    try:
        metadata = _storable(decoded.metadata.to_json_data(), LONGEST_TEXT)
        payload = _storable(AvroSignalSerializer(decoded.signal).to_dict(decoded.data), LARGEST)
    except Exception:  # noqa: BLE001 - a serializer's; the bytes are kept in any case
        return None
    return None if metadata is None or payload is None else (metadata, payload)


def _storable(content: object, most: int) -> object | None:
    """Return ``content``, or None when it is no JSON for all databases: with NUL or NaN, or over ``most`` bytes."""
    try:
        written = json.dumps(content, allow_nan=False)
    except (TypeError, ValueError):
        return None
    return None if "\\u0000" in written or len(written) > most else content
