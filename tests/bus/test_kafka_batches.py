"""Batches of a Kafka client: one wait, one offset for each partition, nothing of one that was given back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaException

from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.exceptions import CannotGoOn
from badges_plugin.consumers.kafka_batches import Batches
from badges_plugin.consumers.kafka_losses import Losses


class KafkaError:
    def __init__(self, name: str, *, retriable: bool = False) -> None:
        self._name, self._retriable = name, retriable

    def name(self) -> str:
        return self._name

    def str(self) -> str:
        return "said the broker"

    def retriable(self) -> bool:
        return self._retriable


class Received:
    def __init__(self, partition: int, offset: int, error: KafkaError | None = None) -> None:
        self._partition, self._offset, self._error = partition, offset, error

    def __len__(self) -> int:
        return 0  # of an empty value

    def topic(self) -> str:
        return "topic"

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset

    def error(self) -> KafkaError | None:
        return self._error


class Client:
    """Gives what it has, and remembers for how long it was asked to wait and what was stored."""

    def __init__(self, *messages: Received) -> None:
        self.messages = list(messages)
        self.waits: list[float] = []
        self.stored: list[tuple[int, int]] = []
        self.lost: set[int] = set()
        self.meanwhile: Callable[[], None] = lambda: None

    def poll(self, timeout: float) -> Received | None:
        self.waits.append(timeout)
        return self.messages.pop(0) if self.messages else None

    def consume(self, count: int, timeout: float) -> list[Received]:
        self.waits.append(timeout)
        self.meanwhile()
        taken, self.messages = self.messages[:count], self.messages[count:]
        return taken

    def store_offsets(self, message: Received) -> None:
        if message.partition() in self.lost:
            raise KafkaException("_STATE")
        self.stored.append((message.partition(), message.offset()))


def batches_of(client: Any) -> Batches:
    return Batches(client, Losses("credentials", "earliest"), ConsumerConfig(poll_timeout=1, kafka={}))


def taken(batch: list[Any]) -> list[tuple[int, int]]:
    return [(each.partition(), each.offset()) for each in batch]


@pytest.mark.parametrize(
    ("size", "expected", "waits"),
    [
        (1, [(0, 0)], [1]),
        (2, [(0, 0), (1, 0)], [1, 0.01]),
        # No longer than 10 ms for more, once there is one.
        (100, [(0, 0), (1, 0), (0, 1)], [1, 0.01]),
    ],
)
def test_a_batch_is_what_is_there(size: int, expected: list[tuple[int, int]], waits: list[float]) -> None:
    client = Client(Received(0, 0), Received(1, 0), Received(0, 1))
    assert taken(batches_of(client).take(size)) == expected
    assert client.waits == waits


def test_no_event_is_no_batch() -> None:
    client = Client()
    assert batches_of(client).take(100) == []
    assert client.waits == [1]


def test_reports_of_the_client_are_no_events_and_a_fatal_one_takes_none() -> None:
    passing = KafkaError("_ALL_BROKERS_DOWN")
    assert taken(batches_of(Client(Received(0, 0, passing), Received(0, 1))).take(100)) == [(0, 1)]
    with pytest.raises(CannotGoOn, match="TOPIC_AUTHORIZATION_FAILED"):
        batches_of(Client(Received(0, 0), Received(0, 1, KafkaError("TOPIC_AUTHORIZATION_FAILED")))).take(100)


def test_an_event_whose_partition_is_taken_away_meanwhile_is_left_to_its_new_consumer() -> None:
    client = Client(Received(0, 7), Received(1, 3))
    batches = batches_of(client)
    client.meanwhile = lambda: batches.give_back([0])
    assert taken(batches.take(100)) == [(1, 3)]
    client.meanwhile = lambda: None
    client.messages = [Received(0, 7)]  # it came back
    assert taken(batches.take(100)) == [(0, 7)]


def test_partitions_that_change_hands_are_known_until_the_next_batch_is_taken() -> None:
    client = Client(Received(0, 7), Received(1, 3))
    batches = batches_of(client)
    client.meanwhile = lambda: batches.give_back([1])
    batches.take(100)
    assert batches.given_back == {1}
    client.meanwhile = lambda: None
    assert batches.take(100, waits=False) == []
    assert batches.given_back == set()
    assert client.waits[-1] == 0


def test_one_offset_is_stored_for_each_partition_and_one_that_is_gone_does_no_harm(caplog: Any) -> None:
    client = Client(*(Received(number % 3, number // 3) for number in range(9)))
    batches = batches_of(client)
    batch = batches.take(100)
    client.lost = {1}
    batches.acknowledge(batch[:7])
    assert sorted(client.stored) == [(0, 2), (2, 1)]
    assert "Offset 1 of partition 1 was not stored" in caplog.text
