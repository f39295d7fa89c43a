"""Store events that could not be applied as failed events."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from openedx_events.data import EventsMetadata
from openedx_events.event_bus.avro.serializer import AvroSignalSerializer
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin import database
from badges_plugin.consumers.exceptions import ReceiversFailed
from badges_plugin.consumers.handled import Handled, deferral
from badges_plugin.consumers.message import DecodedEvent, Message
from badges_plugin.data import Deferral
from badges_plugin.exceptions import DeferredEvent
from badges_plugin.models import FailedEvent
from badges_plugin.processing.traces import without_retired
from badges_plugin.redaction import describe, one_line

MAX_VALUE_BYTES = 3 * 2**20
"""Bytes of a value that are kept. Stored twice, raw and as escaped JSON, it still fits a packet of 16 MB, which every
supported database accepts. By default brokers refuse messages over 1 MB."""
MAX_TEXT_LENGTH = 2**16

FIRST_RETRY = timedelta(hours=1)
LAST_RETRY = timedelta(days=7)
"""An event with an unknown learner is retried after one hour, two, four, and so on, up to a week."""


def store(message: Message, decoded: DecodedEvent | None, error: BaseException) -> None:
    """Store ``message`` as a FailedEvent, truncated only if it is huge; the same message counts as another attempt.

    ``decoded`` is None when the message could not be decoded. Raises DatabaseError when it cannot be stored.
    """
    facts = _facts(message, decoded, error)
    with transaction.atomic():
        row, created = FailedEvent.objects.get_or_create(fingerprint=message.fingerprint, defaults=facts)
        if not created:
            _store_again(row, facts, error)


def store_all(failed: Sequence[Handled]) -> None:
    """Store messages, each as ``store`` does, but together. Raises DatabaseError; then none is stored."""
    if len(failed) == 1:
        store(failed[0].message, failed[0].decoded, _error(failed[0]))
        return
    new: dict[str, FailedEvent] = {}
    with transaction.atomic():
        fingerprints = {one.message.fingerprint: one for one in failed}
        rows = FailedEvent.objects.filter(fingerprint__in=list(fingerprints)).only("fingerprint", "state", "attempts")
        known = {row.fingerprint: row for row in rows}
        for fingerprint, one in fingerprints.items():
            facts = _facts(one.message, one.decoded, _error(one))
            if fingerprint in known:
                _store_again(known[fingerprint], facts, _error(one))
            else:
                new[fingerprint] = FailedEvent(fingerprint=fingerprint, **facts)
        for packet in _in_packets(list(new.values())):
            FailedEvent.objects.bulk_create(packet)


def _in_packets(rows: Sequence[FailedEvent]) -> Iterator[list[FailedEvent]]:
    """Yield the rows in groups whose sizes together are at most what one row may have."""
    packet: list[FailedEvent] = []
    size = 0
    for row in rows:
        weight = sum(map(len, (row.raw or b"", row.error, json.dumps(row.payload), json.dumps(row.metadata))))
        if packet and size + weight > MAX_VALUE_BYTES:
            yield packet
            packet, size = [], 0
        packet.append(row)
        size += weight
    if packet:
        yield packet


def _error(one: Handled) -> Exception:
    if one.error is None:
        raise ValueError(f"{one.message} did not fail")
    return one.error


def _facts(message: Message, decoded: DecodedEvent | None, error: BaseException) -> dict[str, Any]:
    """Return the columns of a failed event but for its fingerprint."""
    content = _content(decoded) if decoded else None
    facts: dict[str, Any] = {
        "bus": message.bus,
        "topic": message.topic[:255],
        "group": message.group[:255],
        "position": message.position[:64],
        "event_id": _plain(one_line(message.event_id))[:64],
        "event_type": _plain(one_line(message.event_type))[:255],
        "event_time": decoded.metadata.time if decoded else None,
        "broker_time": message.broker_time,
        # If only the headers and the bytes can be stored, they can be decoded later.
        "metadata": content[0] if content else _as_storable_json(dict(message.headers), MAX_TEXT_LENGTH) or {},
        "payload": content[1] if content else None,
        "raw": message.value[:MAX_VALUE_BYTES],
        **error_columns(error),
    }
    remaining = without_retired(facts["payload"])
    if remaining is not facts["payload"]:
        # It names a retired learner. The bytes and the error contain the same data, so they are not kept.
        facts |= {"payload": remaining, "raw": None, "error": facts["reason"]}
    return facts


def _store_again(row: FailedEvent, facts: Mapping[str, Any], error: BaseException) -> None:
    # A message that is delivered again, for example by a replay, is reopened whatever was decided before.
    is_reopened = row.state != FailedEvent.State.FAILED
    FailedEvent.objects.filter(pk=row.pk).update(
        attempts=F("attempts") + 1,
        updated_at=timezone.now() if is_reopened else F("updated_at"),
        state=FailedEvent.State.FAILED,
        **{name: facts[name] for name in ("reason", "error", "metadata", "payload", "event_time")},
        **_next_attempt(error, attempts=row.attempts + 1),
    )


def store_in_process(
    signal: OpenEdxPublicSignal, metadata: EventsMetadata, data: Mapping[str, object], error: DeferredEvent
) -> None:
    """Store an event that was sent in this process and will not be sent again. Raises DatabaseError."""
    event = DecodedEvent(signal, metadata, data)
    message = Message(
        bus="process",
        topic="",
        group="",
        position=str(metadata.id),
        event_id=str(metadata.id),
        event_type=signal.event_type,
        headers={},
        value=b"",
        decode=lambda: event,
    )
    store(message, event, error)


def error_columns(error: BaseException, *, attempts: int = 1) -> dict[str, Any]:
    """Return the columns for an error: ``reason``, which names nobody, ``error``, which may, and the next attempt.

    ``reason`` is in English, whatever language is active: staff count and filter failed events by it.
    """
    deferred = deferral(error)
    if deferred is not None:
        # No traceback: there may be a million of these rows, and the place says nothing about the event.
        told = {"reason": _plain(deferred.reason)[:255], "error": ""}
    else:
        whole = _plain("".join(traceback.format_exception(error)))
        told = {"reason": _plain(describe(error))[:255], "error": whole[:MAX_TEXT_LENGTH]}
    return {**told, **_next_attempt(error, attempts=attempts)}


def _next_attempt(error: BaseException, *, attempts: int) -> dict[str, Any]:
    """Return why the event waits and until when; nothing after a transient error, which is not about the event."""
    deferred = deferral(error)
    if deferred is None:
        return {} if _is_transient(error) else {"cause": "", "retry_at": None}
    if deferred.cause is Deferral.ENDLESS_CHAIN:
        retry_at = None  # it would only repeat until staff have changed the badges
    else:
        # The exponent is limited, because the maximum is reached anyway.
        pause = min(FIRST_RETRY * 2 ** min(attempts - 1, 10), LAST_RETRY)
        retry_at = deferred.not_before or timezone.now() + pause
    return {"cause": deferred.cause.value, "retry_at": retry_at}


def _is_transient(error: BaseException) -> bool:
    errors = error.errors.values() if isinstance(error, ReceiversFailed) else (error,)
    return any(database.is_transient(each) for each in errors)


def _plain(text: str) -> str:
    """Return ``text`` in ASCII, for columns of any character set, without NUL, which PostgreSQL refuses in text."""
    return text.encode("ascii", "backslashreplace").decode().replace("\0", "\\x00")


def _content(decoded: DecodedEvent) -> tuple[object, object] | None:
    """Return metadata and content of an event as JSON values, or None if some database could not store them."""
    try:
        metadata = _as_storable_json(decoded.metadata.to_json_data(), MAX_TEXT_LENGTH)
        payload = _as_storable_json(AvroSignalSerializer(decoded.signal).to_dict(decoded.data), MAX_VALUE_BYTES)
    except Exception:  # noqa: BLE001 - the serializer's error; the bytes are kept in any case
        return None
    return None if metadata is None or payload is None else (metadata, payload)


def _as_storable_json(content: object, max_bytes: int) -> object | None:
    """Return ``content``, or None if some database refuses it as JSON: with NUL or NaN, or over ``max_bytes``."""
    try:
        written = json.dumps(content, allow_nan=False)
    except (TypeError, ValueError):
        return None
    return None if "\\u0000" in written or len(written) > max_bytes else content
