"""The LMS side: whole events from a few facts."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import reduce
from io import StringIO
from uuid import UUID

import pytest
from openedx_events.event_bus.avro.deserializer import AvroSignalDeserializer
from openedx_events.event_bus.avro.serializer import AvroSignalSerializer
from openedx_events.tooling import OpenEdxPublicSignal, load_all_signals

from badges_plugin import events
from sandbox.lms import settings as lms_settings
from sandbox.lms.__main__ import run
from sandbox.lms.emitter import Event, NotSent
from sandbox.lms.shapes import KINDS, Facts

load_all_signals()

CCX = "ccx-v1:Demo+1+run+ccx@3"
FACTS = {"user_id": 7, "username": "анна"}


def facts_for(kind: str) -> Facts:
    return Facts(user_id=7, username="анна", course=CCX if kind.startswith("ccx") else Facts.course)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_a_whole_event_of_its_type(kind: str) -> None:
    signal = OpenEdxPublicSignal.get_signal_by_type(KINDS[kind].event_type)
    content = KINDS[kind].content(facts_for(kind))
    data = AvroSignalDeserializer(signal).from_dict(content)
    assert AvroSignalSerializer(signal).to_dict(data) == content


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_topic_and_a_key_that_its_events_have(kind: str) -> None:
    signal = OpenEdxPublicSignal.get_signal_by_type(KINDS[kind].event_type)
    data = AvroSignalDeserializer(signal).from_dict(KINDS[kind].content(facts_for(kind)))
    ((topic, producing),) = lms_settings.EVENT_BUS_PRODUCER_CONFIG[KINDS[kind].event_type].items()
    first, *rest = str(producing["event_key_field"]).split(".")
    assert topic == "learning-badges-lifecycle"
    assert str(reduce(getattr, rest, data[first]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_host_can_use_each_kind(kind: str) -> None:
    assert events.get_event_type(KINDS[kind].event_type).signal is not None


def test_the_member_of_staff_is_not_the_learner() -> None:
    content = KINDS["enrollment"].content(Facts(user_id=7, username="ann", created_by="bob", created_by_id=2))
    enrollment = content["enrollment"]
    assert isinstance(enrollment, dict)
    assert enrollment["user"]["pii"]["username"] == "ann"
    assert enrollment["created_by"]["pii"]["username"] == "bob"


@pytest.mark.parametrize(
    ("more", "time", "event_id"),
    [
        ({}, None, None),
        ({"time": "2026-03-01T12:00:00+00:00"}, datetime(2026, 3, 1, 12, tzinfo=UTC), None),
        (
            {"id": "7d0f9a1c-0000-11f0-8000-000000000001"},
            None,
            UUID("7d0f9a1c-0000-11f0-8000-000000000001"),
        ),
    ],
)
def test_a_command_becomes_an_event(more: dict[str, object], time: datetime | None, event_id: UUID | None) -> None:
    event = Event.from_command({"event": "passing", **FACTS, **more})
    assert (event.type, event.time, event.id) == (KINDS["passing"].event_type, time, event_id)


def test_a_command_may_bring_the_whole_content() -> None:
    content = {"user": {"id": 7, "is_active": True, "pii": {"username": "ann", "email": "", "name": ""}}}
    event = Event.from_command({"type": KINDS["registration"].event_type, "data": content})
    assert event.content == content


@pytest.mark.parametrize(
    "command",
    [
        {"event": "graduation", **FACTS},
        {"event": "passing", "shoe_size": 42, **FACTS},
        {},
    ],
)
def test_a_command_that_means_nothing_is_refused(command: dict[str, object]) -> None:
    with pytest.raises(NotSent, match="events: passing"):
        Event.from_command(command)


def test_a_flush_tells_how_many_events_the_producer_only_logged_as_lost() -> None:
    def commands() -> Iterator[str]:
        yield '{"flush": true}'
        logging.getLogger("edx_event_bus_redis.internal.producer").error("Error delivering message")
        yield '{"flush": true}'

    answers = StringIO()
    assert run(commands(), answers) == 1
    assert [json.loads(line)["lost"] for line in answers.getvalue().splitlines()] == [0, 1]
