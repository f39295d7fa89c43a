"""The embedded Kafka bus for tests in this process: settings that lead to it, and tidying up after the bus library."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edx_event_bus_kafka.internal.config import get_schema_registry_client

from badges_plugin.conf import TOPIC
from sandbox.demo.processes import Processes


@contextmanager
def embedded_kafka(folder: Path, prefixes: list[str]) -> Iterator[Callable[[], Mapping[str, str]]]:
    """Start the bus; each call returns settings with the next topic prefix, so with an empty topic of 4 partitions."""
    with Processes(folder) as processes:
        topics = [f"--topic={prefix}-{TOPIC}:4" for prefix in prefixes]
        ready = processes.start("kafka", [sys.executable, "-m", "sandbox.bus", *topics]).wait_for_json()
        unused = iter(prefixes)
        yield lambda: {
            "EVENT_BUS_PRODUCER": "edx_event_bus_kafka.create_producer",
            "EVENT_BUS_CONSUMER": "badges_plugin.consumers.kafka.KafkaConsumer",
            "EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS": ready["bootstrap_servers"],
            "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL": ready["registry_url"],
            "EVENT_BUS_TOPIC_PREFIX": next(unused),
        }


def apply_settings(settings: Any, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)


def close_registry_client() -> None:
    """The bus library keeps one and never closes it, which Python would complain about."""
    client = None
    with suppress(ValueError):  # an address that is none
        client = get_schema_registry_client()
    if client is not None:
        client._rest_client.session.close()


def closed_port() -> int:
    """Return a port of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
