"""The event bus of Discovery, whose settings name one since Tutor 21."""

from __future__ import annotations

import ast
from typing import Any

from tests.tutor.conftest import Rendered
from tests.tutor.rendering import Rendering
from tutor_badges.checks import DISCOVERY_ON_REDIS_SINCE

SETTINGS = "plugins/discovery/apps/settings/tutor/production.py"


def event_bus(rendering: Rendering) -> dict[str, Any]:
    """Return the settings of the bus, from the statements about it: the rest needs Discovery itself."""
    module = ast.parse(rendering.text(SETTINGS))
    module.body = [
        node for node in module.body if isinstance(node, ast.Assign | ast.If) and "EVENT_BUS_" in ast.unparse(node)
    ]
    found: dict[str, Any] = {}
    exec(compile(module, SETTINGS, "exec"), found)  # noqa: S102  (what Discovery would do with it)
    return {name: value for name, value in found.items() if name.startswith("EVENT_BUS_")}


def test_t3_discovery_is_on_the_redis_of_the_lms(rendered: Rendered, release: int) -> None:
    """A consumer in Discovery would otherwise wait on a Redis, or for topics, that nobody sends to."""
    found = event_bus(rendered(release, "options-redis"))
    if release < DISCOVERY_ON_REDIS_SINCE:
        # Nothing names a bus, and the image may lack the library.
        assert found == {}
    else:
        assert found["EVENT_BUS_REDIS_CONNECTION_URL"] == "rediss://:p%40ss@redis.example.com:6380/2"
        assert found["EVENT_BUS_TOPIC_PREFIX"] == "campus"
        assert found["EVENT_BUS_CONSUMER"] == "edx_event_bus_redis.RedisEventConsumer"


def test_t3_with_kafka_discovery_stays_on_redis_as_the_notice_says(rendered: Rendered, release: int) -> None:
    """Its image has no Kafka client."""
    found = event_bus(rendered(release, "kafka-own-mysql-own-redis"))
    on_redis = found.get("EVENT_BUS_PRODUCER") == "edx_event_bus_redis.create_producer"
    assert on_redis == (release >= DISCOVERY_ON_REDIS_SINCE)
