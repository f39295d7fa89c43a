"""One message: applied, or stored whole, or neither."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import attrs
import pytest
from django.db import DataError, OperationalError, connection
from openedx_events.data import EventsMetadata
from openedx_events.event_bus.avro.deserializer import AvroSignalDeserializer
from openedx_events.learning.signals import STUDENT_REGISTRATION_COMPLETED
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin.api import Outcome
from badges_plugin.consumers.applying import Applier
from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.exceptions import CannotGoOn, DecodingUnavailable, ReceiversFailed, Stopped, Undecodable
from badges_plugin.consumers.handled import Result
from badges_plugin.consumers.message import DecodedEvent, Message
from badges_plugin.consumers.running import StopRequest
from badges_plugin.models import FailedEvent

pytestmark = pytest.mark.django_db

# An event type that nothing in the plugin listens to, so that the tests' receivers are alone.
SIGNAL = STUDENT_REGISTRATION_COMPLETED
EVENT_ID = UUID("7d0f9a1c-0000-11f0-8000-000000000001")
EVENT_TIME = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONTENT: dict[str, dict[str, Any]] = {
    "user": {
        "id": 7,
        "is_active": True,
        "pii": {"username": "анна", "email": "anna@example.com", "name": "Анна 🎓"},
    }
}

Connect = Callable[[Callable[[], object]], None]


def read_event() -> DecodedEvent:
    metadata = EventsMetadata(event_type=SIGNAL.event_type, id=EVENT_ID, time=EVENT_TIME)
    return DecodedEvent(SIGNAL, metadata, AvroSignalDeserializer(SIGNAL).from_dict(CONTENT))


def message(decode: Callable[[], DecodedEvent] = read_event, *, position: str = "0:1") -> Message:
    return Message(
        bus="kafka",
        topic="dev-learning-badges-lifecycle",
        group="credentials",
        position=position,
        event_id=str(EVENT_ID),
        event_type=SIGNAL.event_type,
        headers={"ce_id": str(EVENT_ID)},
        value=b"\x00\x00\x00\x00\x01raw",
        decode=decode,
    )


def failing(*errors: BaseException) -> Callable[[], object]:
    left = list(errors)

    def operation() -> None:
        if left:
            raise left.pop(0)

    return operation


@pytest.fixture
def ours() -> list[Callable[[], object]]:
    """What our receiver does with an event; nothing: it is not connected."""
    return []


@pytest.fixture
def connect(ours: list[Callable[[], object]]) -> Connect:
    """Make a function without arguments what our receiver does."""
    return ours.append


@pytest.fixture
def applier(ours: list[Callable[[], object]]) -> Applier:
    return make_applier(ours)


def make_applier(ours: list[Callable[[], object]], *, patience: float = 1, stop: StopRequest | None = None) -> Applier:
    def receive(events: Sequence[DecodedEvent]) -> list[Result]:
        for function in ours * len(events):
            try:
                function()
            except Exception as error:
                raise ReceiversFailed({"ours": error}) from error
        return [Outcome.APPLIED if ours else None for _ in events]

    config = ConsumerConfig(patience=patience, max_backoff=0.01, kafka={})
    return Applier(config, stop or StopRequest(), receive=receive)


@pytest.fixture
def others() -> Iterator[Connect]:
    """Connect a function without arguments as a receiver of another app."""
    receivers: list[Callable[..., object]] = []

    def connect_one(function: Callable[[], object]) -> None:
        def receiver(signal: OpenEdxPublicSignal, **kwargs: object) -> object:
            return function()

        receivers.append(receiver)
        SIGNAL.connect(receiver)

    yield connect_one
    for receiver in receivers:
        SIGNAL.disconnect(receiver)


def test_an_applied_event_leaves_no_failed_event(applier: Applier, connect: Connect) -> None:
    calls: list[str] = []
    connect(lambda: calls.append("called"))
    assert applier.apply_or_store([message()]) == [True]
    assert calls == ["called"]
    assert not FailedEvent.objects.exists()


def test_a_transient_error_is_retried_and_the_event_applied(
    applier: Applier, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    connect(failing(OperationalError(1213, "Deadlock found"), OperationalError(2006, "Server has gone away")))
    assert applier.apply_or_store([message()]) == [True]
    assert "< OperationalError, next one in" in caplog.text
    assert not FailedEvent.objects.exists()


def test_a_database_that_stays_away_ends_the_consumer(applier: Applier, connect: Connect) -> None:
    connect(failing(*[OperationalError(2003, "Can't connect")] * 1000))
    with pytest.raises(CannotGoOn):
        applier.apply_or_store([message()])
    assert not FailedEvent.objects.exists()


def test_a_registry_that_stays_away_ends_the_consumer(applier: Applier) -> None:
    def decode() -> DecodedEvent:
        raise DecodingUnavailable("The schema registry is unavailable")

    with pytest.raises(CannotGoOn):
        applier.apply_or_store([message(decode)])
    assert not FailedEvent.objects.exists()


def test_a_stop_while_waiting_leaves_the_event_unacknowledged(others: Connect) -> None:
    stop = StopRequest()
    stop.make()
    heard: list[str] = []
    others(lambda: heard.append("too early"))
    away = failing(*[OperationalError(2003, "Can't connect")] * 1000)
    with pytest.raises(Stopped):
        make_applier([away], patience=60, stop=stop).apply_or_store([message()])
    assert heard == []


def test_an_event_that_meets_a_bug_is_stored_whole(applier: Applier, connect: Connect) -> None:
    connect(failing(ValueError("no such thing as анна 🎓\0")))
    assert applier.apply_or_store([message()]) == [False]
    row = FailedEvent.objects.get()
    assert (row.event_id, row.event_type, row.state) == (str(EVENT_ID), SIGNAL.event_type, "failed")
    assert row.event_time == EVENT_TIME
    assert row.payload == CONTENT
    assert bytes(row.raw or b"") == b"\x00\x00\x00\x00\x01raw"
    assert "no such thing as" in row.error
    assert "no such thing" not in row.reason
    assert "ValueError" in row.reason


def test_events_that_nobody_receives_are_mentioned_once(
    applier: Applier, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        assert applier.apply_or_store([message()]) == [True]
    assert caplog.text.count(f"Nothing here receives events of type {SIGNAL.event_type}") == 1
    caplog.clear()
    connect(failing())
    applier.apply_or_store([message()])
    assert "Nothing here receives" not in caplog.text


def test_a_stored_event_can_be_made_an_event_again(applier: Applier, connect: Connect) -> None:
    connect(failing(ValueError("a bug")))
    applier.apply_or_store([message()])
    row = FailedEvent.objects.get()
    assert EventsMetadata.from_json(json.dumps(row.metadata)).id == EVENT_ID
    assert AvroSignalDeserializer(SIGNAL).from_dict(row.payload) == dict(read_event().data)


def test_a_message_that_is_no_event_is_stored_with_its_bytes(applier: Applier) -> None:
    def decode() -> DecodedEvent:
        raise Undecodable("No event type x in the installed openedx-events")

    assert applier.apply_or_store([message(decode)]) == [False]
    row = FailedEvent.objects.get()
    assert (row.payload, row.metadata) == (None, {"ce_id": str(EVENT_ID)})
    assert row.reason == "Undecodable: No event type x in the installed openedx-events"


def unkeepable(content: Mapping[str, object] = CONTENT, **more: object) -> Callable[[], DecodedEvent]:
    def decode() -> DecodedEvent:
        event = read_event()
        data = AvroSignalDeserializer(SIGNAL).from_dict(content)
        return DecodedEvent(SIGNAL, attrs.evolve(event.metadata, **more), data)

    return decode


@pytest.mark.parametrize(
    "decode",
    [
        unkeepable({"user": {**CONTENT["user"], "pii": {"username": "an\0na", "email": "", "name": ""}}}),
        unkeepable(sourcehost="lms\0"),
        unkeepable({"user": {**CONTENT["user"], "pii": {"username": "x" * 4 * 2**20, "email": "", "name": ""}}}),
    ],
    ids=["NUL in the content", "NUL in the metadata", "too much"],
)
def test_content_that_a_database_cannot_keep_is_kept_as_headers_and_bytes(
    applier: Applier, connect: Connect, decode: Callable[[], DecodedEvent]
) -> None:
    connect(failing(ValueError("a bug")))
    assert applier.apply_or_store([message(decode)]) == [False]
    row = FailedEvent.objects.get()
    assert (row.payload, row.metadata) == (None, {"ce_id": str(EVENT_ID)})
    assert bytes(row.raw or b"") == b"\x00\x00\x00\x00\x01raw"


def test_hostile_poison_fits_any_database(applier: Applier) -> None:
    def decode() -> DecodedEvent:
        raise Undecodable("No event type 🎓\0")

    value = b"\x00'\"\\" * 2**20
    hostile = replace(message(decode), event_id="🎓" * 99, event_type="🎓\0", value=value)
    assert applier.apply_or_store([hostile]) == [False]
    row = FailedEvent.objects.get()
    assert row.event_type == "\\U0001f393\\x00"
    assert row.reason.isascii()
    assert value.startswith(bytes(row.raw or b""))


def test_the_same_message_again_is_one_row_with_two_attempts(applier: Applier, connect: Connect) -> None:
    connect(failing(ValueError("a bug"), KeyError("another")))
    applier.apply_or_store([message()])
    FailedEvent.objects.update(state=FailedEvent.State.DISMISSED)
    applier.apply_or_store([message()])
    row = FailedEvent.objects.get()
    assert (row.attempts, row.state) == (2, "failed")
    assert "KeyError" in row.reason


DEBUG = pytest.mark.parametrize("debug", [False, True])  # with it, openedx-events stops at the first exception


@DEBUG
@pytest.mark.parametrize(
    "error",
    [ValueError("a bug, анна"), OperationalError(1213, "Deadlock, анна"), SystemExit(0)],
    ids=lambda error: type(error).__name__,
)
def test_b2_an_error_of_another_app_is_no_failed_event_of_ours(
    applier: Applier, connect: Connect, others: Connect, caplog: Any, settings: Any, debug: bool, error: BaseException
) -> None:
    settings.DEBUG = debug
    calls: list[str] = []
    others(failing(error))
    connect(lambda: calls.append("ours"))
    assert applier.apply_or_store([message()]) == [True]
    assert calls == ["ours"]
    assert not FailedEvent.objects.exists()
    # Not ours to repeat, but to be seen, with the event and without the learner.
    (line,) = [record.getMessage() for record in caplog.records if "which is not ours" in record.getMessage()]
    assert str(EVENT_ID) in line
    assert type(error).__name__ in line
    assert "анна" not in caplog.text


@DEBUG
def test_b2_one_app_that_fails_does_not_keep_the_event_from_the_next(
    applier: Applier, others: Connect, settings: Any, debug: bool
) -> None:
    settings.DEBUG = debug
    heard: list[str] = []
    others(failing(ValueError("a bug")))
    others(lambda: heard.append("heard"))
    assert applier.apply_or_store([message()]) == [True]
    assert heard == ["heard"]


@DEBUG
def test_b2_other_apps_hear_an_event_once_whatever_becomes_of_it_here(
    applier: Applier, connect: Connect, others: Connect, settings: Any, debug: bool
) -> None:
    settings.DEBUG = debug
    heard: list[str] = []
    others(lambda: heard.append("heard"))
    connect(failing(OperationalError(1213, "Deadlock found"), ValueError("a bug")))
    assert applier.apply_or_store([message()]) == [False]
    assert heard == ["heard"]


def test_what_can_be_neither_applied_nor_stored_ends_the_consumer(applier: Applier, connect: Connect) -> None:
    def refuse(execute: Callable[..., object], sql: str, *arguments: object) -> object:
        if "failedevent" in sql:
            raise DataError("Incorrect string value")
        return execute(sql, *arguments)

    connect(failing(ValueError("a bug")))
    with connection.execute_wrapper(refuse), pytest.raises(CannotGoOn, match="and cannot be stored"):
        applier.apply_or_store([message()])


def test_no_personal_data_reaches_the_log(applier: Applier, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    connect(failing(OperationalError(1213, "Deadlock, анна"), ValueError("Duplicate entry 'anna@example.com'")))
    applier.apply_or_store([message()])
    assert str(EVENT_ID) in caplog.text
    assert "ValueError" in caplog.text
    for personal in ("анна", "anna@example.com", "Анна"):
        assert personal not in caplog.text
