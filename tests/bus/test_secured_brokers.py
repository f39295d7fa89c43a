"""Brokers as others run them: with users, passwords and TLS."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from badges_plugin.doctor import kafka_probe
from badges_plugin.doctor.findings import Level
from tests.bus.conftest import KAFKA_CONSUMER, REDIS_CONSUMER
from tests.bus.stage import QUICK, Stage, applied, passing
from tests.services.kafka import create_topics

pytestmark = [pytest.mark.bus, pytest.mark.services, pytest.mark.long]

MakeStage = Callable[[Mapping[str, str], str], Stage]
Service = Callable[[str], Mapping[str, str]]


@pytest.fixture
def kafka(make_stage: MakeStage, service: Service) -> tuple[Stage, Stage]:
    """The LMS side, whose library cannot be told whom to trust, inside the cluster; and our side outside of it."""
    users = dict(service("kafka-with-users"))
    inside, certificate = users.pop("PLAIN_BOOTSTRAP_SERVERS"), users.pop("CA_FILE")
    registry = users["EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL"]
    lms = make_stage(
        {
            "EVENT_BUS_PRODUCER": "edx_event_bus_kafka.create_producer",
            "EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS": inside,
            "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL": registry,
        },
        KAFKA_CONSUMER,
    )
    create_topics(inside, lms.full_topic, partitions=4)
    properties = {"heartbeat.interval.ms": 500, "ssl.ca.location": certificate}
    return lms, replace(lms, bus=users, settings={**QUICK, "kafka": properties})


def doctor(stage: Stage) -> list[dict[str, str]]:
    """Return what the doctor says of the bus."""
    checked = stage.manage("doctor", "badges_doctor", "--json")
    checked.wait()
    findings = [json.loads(line) for line in checked.output().splitlines()]
    return [each for each in findings if each["probe"] == "event bus"]


def replayed(stage: Stage) -> int:
    """Return how many events a replay reads."""
    replay = stage.manage("replay", "badges_replay", "--dry-run")
    assert replay.wait() == 0, replay.log()
    (number,) = re.findall(r"^(\d+) events: ", replay.output(), re.MULTILINE)
    return int(number)


def test_kafka(kafka: tuple[Stage, Stage]) -> None:
    lms, host = kafka
    sent = lms.emit(passing(1), passing(2, course=1))
    consumer = host.consumer()
    consumer.wait_for(lambda: applied(consumer, sent), "it was applied")
    assert consumer.stop() == 0
    assert replayed(host) == len(sent)
    found = doctor(host)
    assert {each["level"] for each in found} == {"ok"}
    assert f"has topic {host.full_topic} with 4 partitions" in found[0]["what"]


@pytest.mark.parametrize(
    ("properties", "secret", "reason"),
    [
        ({}, "not it", "Authentication failed"),
        ({"ssl.ca.location": "probe"}, None, "certificate verify failed"),
        ({"ssl.ca.location": "/nowhere"}, None, "ssl.ca.location"),
    ],
)
def test_the_doctor_says_why_kafka_refuses_us(
    service: Service, settings: Any, properties: Mapping[str, str], secret: str | None, reason: str
) -> None:
    users = service("kafka-with-users")
    settings.EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS = users["EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS"]
    settings.EVENT_BUS_KAFKA_API_KEY = users["EVENT_BUS_KAFKA_API_KEY"]
    settings.EVENT_BUS_KAFKA_API_SECRET = secret or users["EVENT_BUS_KAFKA_API_SECRET"]
    settings.BADGES_CONFIG = {"consumer": {"kafka": {"ssl.ca.location": users["CA_FILE"], **properties}}}
    found = next(kafka_probe.examine("learning-badges-lifecycle"))
    assert found.level is Level.ERROR
    assert reason in found.what
    assert "not it" not in found.what


def test_redis(make_stage: MakeStage, service: Service) -> None:
    producer = {"EVENT_BUS_PRODUCER": "edx_event_bus_redis.create_producer"}
    stage = make_stage({**producer, **service("redis-with-tls")}, REDIS_CONSUMER)
    sent = stage.emit(passing(1), passing(2, course=1))
    consumer = stage.consumer()
    consumer.wait_for(lambda: applied(consumer, sent), "it was applied")
    assert doctor(stage)[0]["level"] == "ok"
    assert consumer.stop() == 0
    assert replayed(stage) == len(sent)
