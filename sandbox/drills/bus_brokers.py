"""The two buses as a drill uses them: restart them, send poison messages, count the backlog, read to the end."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from redis import Redis
from redis.exceptions import RedisError

from badges_plugin.conf import CONSUMER_GROUP, TOPIC
from tests.services.brokers import redis_server
from tests.services.kafka import create_topics, kafka_server
from tests.services.process import Server

PREFIX = "dev"
PUBLIC_TOPIC = "badges-public"
PARTITIONS = 4
ANSWER_SECONDS = 10.0
FULL_TOPIC, FULL_PUBLIC_TOPIC = f"{PREFIX}-{TOPIC}", f"{PREFIX}-{PUBLIC_TOPIC}"

PASSING = "org.openedx.learning.course.passing.status.updated.v1"
# Headers and value of messages that nobody can read, as either bus may hold them.
POISON: list[tuple[dict[str, str | bytes], bytes]] = [
    ({}, b"junk"),
    ({"type": "org.example.unknown.v1", "id": "7d0f9a1c-0000-11f0-8000-000000000001"}, b"junk"),
    ({"type": PASSING, "id": "no uuid"}, b"\x00\x00\x0f\x42\x40junk"),
    ({"type": PASSING}, b"\x00"),
    ({"type": b"\xff\xfe", "id": b"\xff"}, b"junk"),
]


class Broker(Protocol):
    """A running bus."""

    server: Server
    """To be stopped and started; it keeps its data on disk."""
    environment: Mapping[str, str]
    """What leads the LMS side and Credentials to it."""

    def poison(self, number: int) -> None:
        """Send a poison message to the topic, one kind after the other."""

    def left(self) -> int | None:
        """Return how many messages were not acknowledged, or None if that is unknown now."""

    def partitions(self) -> str:
        """Return how the messages are distributed."""

    def published(self) -> Counter[tuple[str, str]]:
        """Return how often each public event was published, by type and id."""


class Kafka:
    """Apache Kafka with its data on disk, and a schema registry."""

    def __init__(self, server: Server, environment: Mapping[str, str]) -> None:
        self.server = server
        self.environment: Mapping[str, str] = {
            **environment,
            "EVENT_BUS_PRODUCER": "edx_event_bus_kafka.create_producer",
            "EVENT_BUS_CONSUMER": "badges_plugin.consumers.kafka.KafkaConsumer",
        }
        self._servers: dict[str, str | int | float | bool] = {
            "bootstrap.servers": environment["EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS"],
            "log_level": 0,
        }
        create_topics(str(self._servers["bootstrap.servers"]), FULL_TOPIC, FULL_PUBLIC_TOPIC, partitions=PARTITIONS)

    def poison(self, number: int) -> None:
        headers, value = POISON[number % len(POISON)]
        producer = Producer(self._servers)
        named: list[tuple[str, str | bytes | None]] = [(f"ce_{name}", header) for name, header in headers.items()]
        producer.produce(FULL_TOPIC, value=value, headers=named, partition=number % PARTITIONS)
        producer.flush(ANSWER_SECONDS)

    def left(self) -> int | None:
        partitions = [TopicPartition(FULL_TOPIC, number) for number in range(PARTITIONS)]
        try:
            # It names the group and does not join it: it subscribes to nothing.
            with self._reader(CONSUMER_GROUP) as reader:
                committed = reader.committed(partitions, timeout=ANSWER_SECONDS)
                return sum(_end(reader, FULL_TOPIC, each.partition) - max(int(each.offset), 0) for each in committed)
        except KafkaException:
            return None

    def partitions(self) -> str:
        with self._reader("drill") as reader:
            ends = [str(_end(reader, FULL_TOPIC, number)) for number in range(PARTITIONS)]
        return f"{PARTITIONS} partitions with {', '.join(ends)} messages"

    def published(self) -> Counter[tuple[str, str]]:
        seen: Counter[tuple[str, str]] = Counter()
        with self._reader("drill") as reader:
            left = sum(_end(reader, FULL_PUBLIC_TOPIC, number) for number in range(PARTITIONS))
            reader.assign([TopicPartition(FULL_PUBLIC_TOPIC, number, 0) for number in range(PARTITIONS)])
            while left and (message := reader.poll(ANSWER_SECONDS)) is not None:
                if not message.error():
                    headers = dict(message.headers() or [])
                    seen[_text(headers["ce_type"]), _text(headers["ce_id"])] += 1
                    left -= 1
        return seen

    @contextlib.contextmanager
    def _reader(self, group: str) -> Iterator[Consumer]:
        # Each time another one: one that was idle while the broker was away may be slow to find it again.
        reader = Consumer({**self._servers, "group.id": group, "enable.auto.commit": False})
        try:
            yield reader
        finally:
            reader.close()


class RedisStreams:
    """Redis, which appends its data to a file."""

    def __init__(self, server: Server, environment: Mapping[str, str]) -> None:
        self.server = server
        self.environment: Mapping[str, str] = {
            **environment,
            "EVENT_BUS_PRODUCER": "edx_event_bus_redis.create_producer",
            "EVENT_BUS_CONSUMER": "badges_plugin.consumers.redis.RedisConsumer",
        }
        # Untyped: redis-py describes the answers of both versions of the protocol at once.
        self._client: Any = Redis.from_url(environment["EVENT_BUS_REDIS_CONNECTION_URL"])

    def poison(self, number: int) -> None:
        headers, value = POISON[number % len(POISON)]
        self._client.xadd(FULL_TOPIC, {**headers, "event_data": value})

    def left(self) -> int | None:
        try:
            groups = self._client.xinfo_groups(FULL_TOPIC)
        except RedisError:
            return None
        mine = next((each for each in groups if each["name"] == CONSUMER_GROUP.encode()), None)
        if mine is None or mine["lag"] is None:
            return None
        return int(mine["lag"] + mine["pending"])

    def partitions(self) -> str:
        return f"a stream with {self._client.xlen(FULL_TOPIC)} entries"

    def published(self) -> Counter[tuple[str, str]]:
        entries = self._client.xrange(FULL_PUBLIC_TOPIC)
        return Counter((_text(fields[b"type"]), _text(fields[b"id"])) for _, fields in entries)


@contextlib.contextmanager
def kafka() -> Iterator[Broker]:
    with kafka_server() as (server, environment):
        yield Kafka(server, environment)


@contextlib.contextmanager
def redis() -> Iterator[Broker]:
    with redis_server() as (server, environment):
        yield RedisStreams(server, environment)


def _end(reader: Consumer, topic: str, number: int) -> int:
    _, end = reader.get_watermark_offsets(TopicPartition(topic, number), timeout=ANSWER_SECONDS)
    return int(end)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
