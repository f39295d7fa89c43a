"""From the LMS side through the embedded Kafka to the host: real producer, real consumers, several processes."""

from __future__ import annotations

import signal
import urllib.request
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.bus.stage import Stage, applied, passing

pytestmark = pytest.mark.bus

SCHEMA_OF_NOBODY = b"\x00\x00\x0f\x42\x40junk"

Headers = list[tuple[str, str | bytes | None]]

POISON: list[tuple[str, bytes | None, Headers]] = [
    ("no headers", b"junk", []),
    ("unknown event type", b"junk", [("ce_type", b"org.example.unknown.v1"), ("ce_id", b"1")]),
    ("no event id", SCHEMA_OF_NOBODY, [("ce_type", b"org.openedx.learning.course.passing.status.updated.v1")]),
    ("no value", None, [("ce_type", b"org.openedx.learning.course.passing.status.updated.v1"), ("ce_id", b"1")]),
    ("headers of no encoding", b"junk", [("ce_type", b"\xff\xfe"), ("ce_id", b"\xff")]),
]


def switch(stage: Stage, what: str) -> None:
    """Operate the embedded bus's fault controls: "registry/down" and the like."""
    address = f"{stage.bus['EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL']}/sandbox/{what}"
    with urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=5):  # noqa: S310 - loopback
        pass


def produce_raw(stage: Stage, value: bytes | None, headers: Headers) -> None:
    producer = Producer({"bootstrap.servers": stage.bus["EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS"]})
    producer.produce(stage.full_topic, value=value, headers=headers)
    producer.flush(10)


@pytest.mark.long
def test_events_poison_and_a_restart(kafka_stage: Stage) -> None:
    before = kafka_stage.emit(
        passing(1),
        passing(2, course=1, is_passing=False),
        {"event": "ccx-passing", "user_id": 3, "username": "анна", "course": "ccx-v1:Demo+1+run+ccx@3"},
        {"event": "enrollment", "user_id": 4, "username": "learner4", "created_by": "staff"},
        {"event": "certificate", "user_id": 5, "username": "learner5", "email": ""},
    )
    for _, value, headers in POISON:
        produce_raw(kafka_stage, value, headers)
    first = kafka_stage.consumer()
    # Sent before the group existed, and all the same consumed.
    first.wait_for(
        lambda: applied(first, before) and len(kafka_stage.failed_events()) == len(POISON), "all was applied or stored"
    )
    assert first.stop() == 0
    assert "Closed." in first.log()
    assert "learner1" not in first.log()
    assert "анна" not in first.log()

    after = kafka_stage.emit(passing(6), passing(7, course=1))
    second = kafka_stage.consumer("second")
    second.wait_for(lambda: applied(second, after), "what came meanwhile was applied")
    second.signal(signal.SIGINT)
    assert second.wait() == 0
    counts, have_ended = kafka_stage.reported()
    assert (sum(counts.values()), counts["failed"]) == (len(before) + len(after) + len(POISON), len(POISON))
    assert have_ended
    assert not any(event_id in second.log() for event_id in before)
    assert len(kafka_stage.failed_events()) == len(POISON)


@pytest.mark.long
def test_two_consumers_share_the_partitions_and_one_leaves(kafka_stage: Stage) -> None:
    first = kafka_stage.consumer("first")
    first.wait_for(lambda: "Assigned partitions" in first.log(), "partitions were assigned")
    second = kafka_stage.consumer("second")
    second.wait_for(lambda: "Assigned partitions" in second.log(), "partitions were assigned")
    together = kafka_stage.emit(*(passing(number, course=number) for number in range(24)))
    first.wait_for(lambda: applied([first, second], together), "all was applied")
    assert "Applied" in first.log()
    assert "Applied" in second.log()
    assert second.stop() == 0
    alone = kafka_stage.emit(*(passing(number, course=number) for number in range(8)))
    first.wait_for(lambda: applied(first, alone), "the one that stayed took over")
    assert first.stop() == 0


@pytest.mark.long
def test_the_database_is_away_for_a_moment_then_for_long(kafka_stage: Stage) -> None:
    kafka_stage.settings["patience"] = 4
    consumer = kafka_stage.consumer("patient")
    consumer.wait_for(lambda: "Assigned partitions" in consumer.log(), "partitions were assigned")
    away = kafka_stage.folder.with_name("away")
    kafka_stage.folder.rename(away)
    first = kafka_stage.emit(passing(1))
    consumer.wait_for(lambda: "attempt 2 failed with ReceiversFailed: " in consumer.log(), "it was retried")
    away.rename(kafka_stage.folder)
    assert "< OperationalError" in consumer.log()
    consumer.wait_for(lambda: applied(consumer, first), "it was applied when the database was back")

    assert consumer.stop() == 0
    kafka_stage.settings["patience"] = 1
    impatient = kafka_stage.consumer("impatient")
    impatient.wait_for(lambda: "Assigned partitions" in impatient.log(), "partitions were assigned")
    kafka_stage.folder.rename(away)
    second = kafka_stage.emit(passing(2))
    assert impatient.wait() == 1
    assert "not acknowledged" in impatient.log()
    away.rename(kafka_stage.folder)
    successor = kafka_stage.consumer("successor")
    successor.wait_for(lambda: applied(successor, second), "the event was delivered again and applied")
    assert kafka_stage.failed_events() == []


@pytest.mark.long
def test_the_schema_registry_is_away(kafka_stage: Stage) -> None:
    sent = kafka_stage.emit(passing(1))
    switch(kafka_stage, "registry/down")
    try:
        consumer = kafka_stage.consumer()
        consumer.wait_for(lambda: "failed with DecodingUnavailable" in consumer.log(), "it was retried")
    finally:
        switch(kafka_stage, "registry/up")
    consumer.wait_for(lambda: applied(consumer, sent), "it was applied when the registry was back")
    assert kafka_stage.failed_events() == []


def test_a_missing_library_ends_with_an_exit_code(kafka_stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "confluent_kafka.py").write_text("raise ImportError('not installed')")
    consumer = kafka_stage.consumer(PYTHONPATH=str(tmp_path))
    assert consumer.wait() == 1
    assert "not installed" in consumer.log()
