"""How far a consumer group is behind at Kafka, and since when."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from badges_plugin.consumers.config import consumer_config
from badges_plugin.consumers.exceptions import Unmeasured
from badges_plugin.consumers.kafka_loop import client_properties, make_client
from badges_plugin.consumers.kafka_losses import Standing, standings
from badges_plugin.consumers.kafka_messages import broker_time
from badges_plugin.consumers.lag import Lag

ANSWER_SECONDS = 5.0

LOOKING: Mapping[str, Any] = {
    # Looks only: neither commits for the group nor fetches more than the first event of each partition.
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "max.partition.fetch.bytes": 65_536,  # an event that is larger comes all the same
    "queued.max.messages.kbytes": 1024,
    # Its log would only repeat every second that no broker answers.
    "log_level": 0,
}


def measure(topic: str, group: str) -> list[Lag]:
    """Return how far a group is behind, by partition. Raises Unmeasured or CannotGoOn."""
    config = consumer_config()
    with closing(make_client({**client_properties(config, group), **LOOKING})) as client:
        try:
            found = client.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
            if found.error is not None:
                raise Unmeasured(f"Kafka says {found.error.str()}")
            partitions = [TopicPartition(topic, number) for number in found.partitions]
            return lags(client, topic, standings(client, partitions) if partitions else [], config.offset_reset)
        except KafkaException as error:
            raise Unmeasured(f"Kafka says {error.args[0].str()}") from error


def lags(client: Consumer, topic: str, found: Sequence[Standing], offset_reset: str) -> list[Lag]:
    """Return how far a group is behind, given where it stands. ``client`` has the properties of ``LOOKING``."""
    following = {each.partition: each.following(offset_reset) for each in found}
    waiting = {each.partition: max(each.high - following[each.partition], 0) for each in found}
    times = _times(client, topic, {partition: following[partition] for partition, some in waiting.items() if some})
    return [Lag(partition, some, times.get(partition)) for partition, some in sorted(waiting.items())]


def _times(client: Consumer, topic: str, offsets: Mapping[int, int]) -> dict[int, datetime]:
    """Return when the events at some offsets came, by partition. Those that do not arrive in time are left out."""
    times: dict[int, datetime] = {}
    if not offsets:
        return times
    seen: set[int] = set()
    client.assign([TopicPartition(topic, partition, offset) for partition, offset in offsets.items()])
    until = time.monotonic() + ANSWER_SECONDS
    while len(seen) < len(offsets) and (left := until - time.monotonic()) > 0:
        received = client.poll(left)
        partition = None if received is None or received.error() else received.partition()
        if received is None or partition is None or partition in seen:
            continue
        seen.add(partition)
        client.pause([TopicPartition(topic, partition)])
        if came := broker_time(received):
            times[partition] = came
    client.unassign()
    return times
