"""The same through Apache Kafka and a real schema registry: what the embedded bus only imitates."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Callable, Mapping

import pytest
from confluent_kafka import Consumer, TopicPartition

from badges_plugin.conf import CONSUMER_GROUP
from tests.bus.conftest import KAFKA_CONSUMER
from tests.bus.stage import Stage, applied, passing
from tests.services.kafka import create_topics

pytestmark = [pytest.mark.bus, pytest.mark.services, pytest.mark.long]

PARTITIONS = 4


@pytest.fixture
def stage(make_stage: Callable[[Mapping[str, str], str], Stage], service: Callable[[str], Mapping[str, str]]) -> Stage:
    bus = {"EVENT_BUS_PRODUCER": "edx_event_bus_kafka.create_producer", **service("kafka")}
    made = make_stage(bus, KAFKA_CONSUMER)
    create_topics(bus["EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS"], made.full_topic, partitions=PARTITIONS)
    return made


def lag(stage: Stage) -> int:
    """How many messages the group has not committed."""
    partitions = [TopicPartition(stage.full_topic, number) for number in range(PARTITIONS)]
    servers = stage.bus["EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS"]
    # It names the group and does not join it: it subscribes to nothing.
    reader = Consumer({"bootstrap.servers": servers, "group.id": CONSUMER_GROUP, "enable.auto.commit": False})
    try:
        committed = reader.committed(partitions, timeout=10)
        return sum(reader.get_watermark_offsets(each, timeout=10)[1] - max(each.offset, 0) for each in committed)
    finally:
        reader.close()


def test_events_several_types_and_a_restart_at_the_committed_offset(stage: Stage) -> None:
    before = stage.emit(
        *(passing(number, course=number) for number in range(8)),
        {"event": "ccx-passing", "user_id": 3, "username": "анна", "course": "ccx-v1:Demo+1+run+ccx@3"},
        {"event": "enrollment", "user_id": 4, "username": "learner4", "created_by": "staff"},
        {"event": "certificate", "user_id": 5, "username": "learner5", "email": ""},
    )
    first = stage.consumer()
    first.wait_for(lambda: applied(first, before), "all was applied")
    assert first.stop() == 0
    assert lag(stage) == 0
    after = stage.emit(passing(6), passing(7, course=1))
    assert lag(stage) == len(after)
    second = stage.consumer("second")
    second.wait_for(lambda: applied(second, after), "what came meanwhile was applied")
    second.signal(signal.SIGINT)
    assert second.wait() == 0
    assert not any(event_id in second.log() for event_id in before)
    assert lag(stage) == 0
    assert stage.failed_events() == []


def test_the_registry_knows_the_schemas_of_the_events(stage: Stage) -> None:
    stage.emit(passing(1))
    address = f"{stage.bus['EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL']}/subjects"
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - loopback
        subjects = json.load(answer)
    assert [subject for subject in subjects if subject.startswith(f"{stage.full_topic}-org.openedx.learning.course")]


def test_a_killed_consumer_is_replaced_by_the_others(stage: Stage) -> None:
    first, second = stage.consumer("first"), stage.consumer("second")
    for child in (first, second):
        child.wait_for(lambda child=child: "Assigned partitions" in child.log(), "it joined")  # type: ignore[misc]
    first.kill()
    sent = stage.emit(*(passing(number, course=number) for number in range(16)))
    second.wait_for(lambda: applied(second, sent), "the other one took over all partitions", timeout=60)
    assert second.stop() == 0
    assert lag(stage) == 0
