"""Id and time of an event are what the message, or else the broker, says: the same at every delivery."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, TIMESTAMP_NOT_AVAILABLE
from confluent_kafka.schema_registry import Schema
from openedx_events.event_bus.avro.serializer import AvroSignalSerializer, serialize_event_data_to_bytes
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

from badges_plugin.consumers import kafka_messages, redis_messages
from badges_plugin.consumers.applying import Applier
from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.decoding import from_milliseconds, read_metadata
from badges_plugin.consumers.exceptions import Undecodable
from badges_plugin.consumers.message import Message
from badges_plugin.consumers.redis_stream import Entry
from badges_plugin.consumers.reprocessing import process_again
from badges_plugin.consumers.running import StopRequest
from badges_plugin.consumers.storing import store
from badges_plugin.models import BadgeAward, FailedEvent, Fulfillment
from tests.factories import (
    PASSING,
    make_template,
    make_user,
    passing_data,
    penalizes_failing,
    requires_course,
    user_data,
)

ID = UUID("7d0f9a1c-0000-11f0-8000-000000000001")
BROKER = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAID = {"event_type": PASSING, "id": str(ID), "time": "2026-03-01T11:00:00+00:00"}


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-03-01T11:00:00+00:00", datetime(2026, 3, 1, 11, tzinfo=UTC)),
        ("2026-03-01T11:00:00.123456+00:00", datetime(2026, 3, 1, 11, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-01T11:00:00Z", datetime(2026, 3, 1, 11, tzinfo=UTC)),
        (" 2026-03-01 11:00:00+00:00 ", datetime(2026, 3, 1, 11, tzinfo=UTC)),
        # The same instant elsewhere.
        ("2026-03-01T16:30:00+05:30", datetime(2026, 3, 1, 11, tzinfo=UTC)),
        ("2026-02-28T23:00:00-12:00", datetime(2026, 3, 1, 11, tzinfo=UTC)),
        # OEP-41 has all times in UTC.
        ("2026-03-01T11:00:00", datetime(2026, 3, 1, 11, tzinfo=UTC)),
        ("", BROKER),
        ("  ", BROKER),
        (None, BROKER),
    ],
)
def test_d1_a_time_is_the_events_or_the_brokers(time: str | None, expected: datetime) -> None:
    said = {name: value for name, value in {**SAID, "time": time}.items() if value is not None}
    metadata = read_metadata(said, broker_time=BROKER)
    assert (metadata.time, metadata.time.tzinfo) == (expected, UTC)


@pytest.mark.parametrize(
    ("changes", "broker_time", "reason"),
    [
        ({"time": ""}, None, "gives a time"),
        # Of what was garbled nobody knows what it meant.
        ({"time": "yesterday"}, BROKER, "not of the form"),
        ({"time": "1772366400"}, BROKER, "not of the form"),
        ({"time": "2026-03-01"}, BROKER, "not of the form"),
        ({"time": "2026-02-30T11:00:00Z"}, BROKER, "not of the form"),
        ({"time": "0001-01-01T00:00:00+05:00"}, BROKER, "not of the form"),
        ({"id": ""}, BROKER, "no event id"),
        ({"id": "7"}, BROKER, "not a UUID"),
    ],
)
def test_d1_what_has_no_identity_or_time_is_no_event(
    changes: dict[str, str], broker_time: datetime | None, reason: str
) -> None:
    with pytest.raises(Undecodable, match=reason):
        read_metadata({**SAID, **changes}, broker_time=broker_time)


@pytest.mark.parametrize("garbled", ["", "x", "1.x"])
def test_d1_what_decides_nothing_is_left_empty_and_no_obstacle(garbled: str) -> None:
    said = {**SAID, "minorversion": garbled, "sourcelib": garbled}
    metadata = read_metadata(said, broker_time=None)
    # Not this service, this machine and this version of openedx-events.
    assert (metadata.minorversion, metadata.source, metadata.sourcehost, metadata.sourcelib) == (0, "", "", ())


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [(1772366400000, BROKER), (-1, None), (2**64 - 1, None), (0, datetime(1970, 1, 1, tzinfo=UTC))],
)
def test_d1_a_brokers_time_is_one_or_none(milliseconds: int, expected: datetime | None) -> None:
    assert from_milliseconds(milliseconds) == expected


class Received:
    """A message as the Kafka client gives it."""

    def __init__(self, headers: Mapping[str, str], offset: int, timestamp: tuple[int, int], value: bytes) -> None:
        self._headers, self._offset, self._timestamp, self._value = headers, offset, timestamp, value

    def headers(self) -> list[tuple[str, bytes]]:
        return [(name, value.encode()) for name, value in self._headers.items()]

    def timestamp(self) -> tuple[int, int]:
        return self._timestamp

    def value(self) -> bytes:
        return self._value

    def topic(self) -> str:
        return "dev-learning-badges-lifecycle"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset


def redis_message(second: int, value: bytes, **headers: str) -> Message:
    milliseconds = round((BROKER + timedelta(seconds=second)).timestamp() * 1000)
    fields = {name.encode(): text.encode() for name, text in {"type": PASSING, **headers}.items()}
    return redis_messages.message_from(
        Entry(f"{milliseconds}-0".encode(), {**fields, b"event_data": value}), "topic", "credentials"
    )


def kafka_message(second: int, value: bytes, *, kind: int = TIMESTAMP_CREATE_TIME, **headers: str) -> Message:
    milliseconds = round((BROKER + timedelta(seconds=second)).timestamp() * 1000)
    named = {f"ce_{name}": text for name, text in {"type": PASSING, **headers}.items()}
    received: Any = Received(named, second, (kind, milliseconds), b"\x00\x00\x00\x00\x07" + value)
    return kafka_messages.message_from(received, "credentials")


class Registry:
    """A schema registry that knows one schema, by each id."""

    def get_schema(self, schema_id: int) -> Schema:
        return Schema(AvroSignalSerializer(COURSE_PASSING_STATUS_UPDATED).schema_string(), "AVRO")


@pytest.fixture(params=["redis", "kafka"])
def message(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make messages of one bus; Kafka's schema registry is a fake."""
    if request.param == "redis":
        return redis_message

    monkeypatch.setattr(kafka_messages, "registry", Registry)
    return kafka_message


def content(user: Any, *, is_passing: bool) -> bytes:
    data = {"course_passing_status": passing_data(user_data(user), is_passing=is_passing)}
    value: bytes = serialize_event_data_to_bytes(data, COURSE_PASSING_STATUS_UPDATED)
    return value


@pytest.mark.django_db
def test_d1_a_topic_without_times_that_is_read_three_times_awards_once(message: Any) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    topic = [
        message(0, content(user, is_passing=False), id=str(UUID(int=1))),
        message(1, content(user, is_passing=True), id=str(UUID(int=2)), time=""),
    ]
    applier = Applier(ConsumerConfig(kafka={}), StopRequest())
    for _ in range(3):
        for each in topic:
            assert applier.apply_or_store([each]) == [True]
    award = BadgeAward.objects.get()
    assert (award.number, award.awarded_at, award.revoked_at) == (1, BROKER + timedelta(seconds=1), None)
    assert Fulfillment.objects.get().event_time == BROKER + timedelta(seconds=1)


@pytest.mark.django_db
def test_d1_an_event_without_an_id_or_with_a_garbled_time_is_kept_as_failed(message: Any) -> None:
    requires_course(make_template())
    value = content(make_user(), is_passing=True)
    applier = Applier(ConsumerConfig(kafka={}), StopRequest())
    for second, headers in enumerate([{}, {"id": str(ID), "time": "soon"}]):
        for _ in range(2):
            assert applier.apply_or_store([message(second, value, **headers)]) == [False]
    assert list(FailedEvent.objects.values_list("attempts", flat=True)) == [2, 2]
    assert not BadgeAward.objects.exists()


@pytest.mark.django_db
def test_d1_a_message_that_is_decoded_later_has_the_brokers_time_still(message: Any) -> None:
    requires_course(make_template())
    unread = message(5, content(make_user(), is_passing=True), id=str(ID))
    store(unread, None, Undecodable("No such event type"))
    process_again(FailedEvent.objects.get())
    assert BadgeAward.objects.get().awarded_at == BROKER + timedelta(seconds=5)


@pytest.mark.parametrize(
    ("kind", "has_time"),
    [(TIMESTAMP_CREATE_TIME, True), (TIMESTAMP_LOG_APPEND_TIME, True), (TIMESTAMP_NOT_AVAILABLE, False)],
)
def test_d1_a_kafka_message_has_the_time_that_kafka_gives_it(kind: int, has_time: bool) -> None:
    assert kafka_message(0, b"", kind=kind).broker_time == (BROKER if has_time else None)
