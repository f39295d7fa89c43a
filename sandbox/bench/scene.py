"""Where things are measured: a stage, two buses, and how much of everything there is."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from sandbox.demo.processes import Child
from sandbox.drills.stage import Stage

PREFIX = "dev"
STREAM_LENGTH = 100_000


@dataclass(frozen=True)
class Bus:
    """A running bus: its name, and the environment that leads to it."""

    name: str
    environment: Mapping[str, str]


class Scene:
    """What every part is given."""

    def __init__(self, stage: Stage, *, small: bool) -> None:
        self.stage = stage
        self.small = small
        self.closing = ExitStack()
        """What is done after the last part."""
        self.former: Child | None = None
        """See ``before.former``."""

    def size(self, full: int, small: int) -> int:
        """Return how many there are of something."""
        return small if self.small else full

    def kafka(self) -> Bus:
        """Return Apache Kafka, or the embedded broker where it is not installed."""
        servers = json.loads(os.environ.get("BENCH_KAFKA", "{}")) or self._embedded()
        return Bus(
            "Kafka",
            {
                **servers,
                "EVENT_BUS_PRODUCER": "edx_event_bus_kafka.create_producer",
                "EVENT_BUS_CONSUMER": "badges_plugin.consumers.kafka.KafkaConsumer",
                "EVENT_BUS_TOPIC_PREFIX": PREFIX,
            },
        )

    def redis(self) -> Bus:
        """Return Redis. Raises RuntimeError where it is not installed."""
        servers = json.loads(os.environ.get("BENCH_REDIS", "{}"))
        if not servers:
            raise RuntimeError("Redis is not installed")
        return Bus(
            "Redis",
            {
                **servers,
                "EVENT_BUS_PRODUCER": "edx_event_bus_redis.create_producer",
                "EVENT_BUS_CONSUMER": "badges_plugin.consumers.redis.RedisConsumer",
                # The library's default, 10,000, is less than what is sent before anything is read.
                "EVENT_BUS_REDIS_STREAM_MAX_LEN": str(STREAM_LENGTH),
                "EVENT_BUS_TOPIC_PREFIX": PREFIX,
            },
        )

    def _embedded(self) -> Mapping[str, str]:
        bus = self.stage.processes.start("bus", [sys.executable, "-m", "sandbox.bus"]).wait_for_json()
        return {
            "EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS": bus["bootstrap_servers"],
            "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL": bus["registry_url"],
        }
