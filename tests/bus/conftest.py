"""Stages for the end-to-end tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from badges_plugin.conf import TOPIC
from sandbox.demo.processes import Processes
from tests import migrated
from tests.bus.stage import HOST_SETTINGS, Stage, copy_database, migrated_database

KAFKA_CONSUMER = "badges_plugin.consumers.kafka.KafkaConsumer"
REDIS_CONSUMER = "badges_plugin.consumers.redis.RedisConsumer"

# Each test has its own. The topics are made at once, because a consumer may be there before the first event.
_prefixes = [f"t{number}" for number in range(30)]
_unused_prefixes = iter(_prefixes)


@pytest.fixture(scope="session")
def session_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    with Processes(tmp_path_factory.mktemp("bus")) as processes:
        yield processes


@pytest.fixture(scope="session")
def database(session_processes: Processes) -> Path:
    if os.environ["DJANGO_SETTINGS_MODULE"] == HOST_SETTINGS:
        return migrated.database()
    return migrated_database(session_processes, session_processes.folder / "template")


@pytest.fixture(scope="session")
def kafka(session_processes: Processes) -> Mapping[str, str]:
    """The embedded bus, as the environment that leads to it."""
    topics = [f"--topic={prefix}-{TOPIC}:4" for prefix in _prefixes]
    ready = session_processes.start("kafka", [sys.executable, "-m", "sandbox.bus", *topics]).wait_for_json()
    return {
        "EVENT_BUS_PRODUCER": "edx_event_bus_kafka.create_producer",
        "EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS": ready["bootstrap_servers"],
        "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL": ready["registry_url"],
    }


@pytest.fixture
def make_stage(database: Path, tmp_path: Path) -> Iterator[Callable[[Mapping[str, str], str], Stage]]:
    with Processes(tmp_path / "logs") as processes:

        def make(bus: Mapping[str, str], consumer_class: str) -> Stage:
            copy_database(database, tmp_path / "host")
            return Stage(processes, tmp_path / "host", next(_unused_prefixes), bus, consumer_class)

        yield make


@pytest.fixture
def kafka_stage(make_stage: Callable[[Mapping[str, str], str], Stage], kafka: Mapping[str, str]) -> Stage:
    return make_stage(kafka, KAFKA_CONSUMER)


@pytest.fixture
def redis_stage(
    make_stage: Callable[[Mapping[str, str], str], Stage], service: Callable[[str], Mapping[str, str]]
) -> Stage:
    producer = {"EVENT_BUS_PRODUCER": "edx_event_bus_redis.create_producer"}
    return make_stage({**producer, **service("redis")}, REDIS_CONSUMER)
