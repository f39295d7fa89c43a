"""How far a group is behind, asked of a real broker and a real Redis, while others consume."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from django.utils import timezone
from redis import Redis

from badges_plugin.conf import TOPIC
from badges_plugin.consumers import lag
from badges_plugin.consumers.exceptions import Unmeasured
from tests.core.buses import apply_settings, closed_port, embedded_kafka

pytestmark = [pytest.mark.bus]
SOON = timedelta(minutes=1)


@pytest.fixture
def kafka(tmp_path: Path, settings: Any) -> Iterator[str]:
    """Settings that lead to an empty topic, and its brokers."""
    with embedded_kafka(tmp_path, ["lag"]) as next_settings:
        apply_settings(settings, next_settings())
        yield settings.EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS


def test_kafka_says_what_waits_in_each_partition_and_since_when(kafka: str) -> None:
    topic, an_hour_ago = f"lag-{TOPIC}", round((timezone.now() - timedelta(hours=1)).timestamp() * 1000)
    producer = Producer({"bootstrap.servers": kafka})
    for partition, number in ((0, 3), (1, 5), (2, 200)):
        for position in range(number):
            producer.produce(topic, value=b"x" * 1000, partition=partition, timestamp=an_hour_ago + position * 60_000)
    assert producer.flush(20) == 0
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "ours"})
    consumer.commit(offsets=[TopicPartition(topic, 0, 3), TopicPartition(topic, 1, 2)], asynchronous=False)

    found = lag.measure("kafka", topic, "ours")
    assert {each.partition: each.messages for each in found} == {0: 0, 1: 3, 2: 200, 3: 0}
    times = {each.partition: each.oldest_at.timestamp() * 1000 for each in found if each.oldest_at}
    assert times == pytest.approx({1: an_hour_ago + 120_000, 2: an_hour_ago}, abs=1)
    # Looking has changed nothing for the group.
    assert [each.offset for each in consumer.committed([TopicPartition(topic, n) for n in range(3)], 10)][:2] == [3, 2]
    consumer.close()


@pytest.fixture
def client(service: Callable[[str], Mapping[str, str]], settings: Any) -> Iterator[Any]:
    settings.EVENT_BUS_REDIS_CONNECTION_URL = service("redis")["EVENT_BUS_REDIS_CONNECTION_URL"]
    client: Any = Redis.from_url(settings.EVENT_BUS_REDIS_CONNECTION_URL)
    client.flushdb()
    yield client
    client.close()


@pytest.mark.services
def test_redis_says_what_waits_and_since_when(client: Any) -> None:
    with pytest.raises(Unmeasured):  # nobody has created the group
        lag.measure("redis", "stream", "ours")
    client.xgroup_create("stream", "ours", id="0-0", mkstream=True)
    assert lag.measure("redis", "stream", "ours") == [lag.Lag(0, 0, None)]

    for milliseconds in (1_000, 2_000, 3_000):
        client.xadd("stream", {"x": "y"}, id=f"{milliseconds}-0")
    client.xgroup_create("stream", "others", id="0-0")
    [found] = lag.measure("redis", "stream", "ours")
    assert (found.messages, found.oldest_at and found.oldest_at.timestamp()) == (3, 1.0)

    client.xreadgroup("ours", "one", {"stream": ">"}, count=2)
    client.xack("stream", "ours", "1000-0")
    [found] = lag.measure("redis", "stream", "ours")
    assert (found.messages, found.oldest_at and found.oldest_at.timestamp()) == (2, 2.0)  # given to one, not handled

    client.xack("stream", "ours", "2000-0")
    [found] = lag.measure("redis", "stream", "ours")
    assert (found.messages, found.oldest_at and found.oldest_at.timestamp()) == (1, 3.0)


def test_a_bus_that_is_away_is_no_surprise(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EVENT_BUS_REDIS_CONNECTION_URL = f"redis://:secret@127.0.0.1:{closed_port()}/0"
    with pytest.raises(Unmeasured) as refused:
        lag.measure("redis", "stream", "ours")
    assert "secret" not in str(refused.value)
    settings.EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS = f"127.0.0.1:{closed_port()}"
    monkeypatch.setattr("badges_plugin.consumers.kafka_lag.ANSWER_SECONDS", 0.2)
    with pytest.raises(Unmeasured):
        lag.measure("kafka", "topic", "ours")
