"""Read a Kafka topic again, without joining a group or committing offsets, so running consumers are unaffected."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage
from edx_event_bus_kafka.internal.config import get_full_topic

from badges_plugin.consumers.config import consumer_config
from badges_plugin.consumers.kafka_loop import client_properties, make_client
from badges_plugin.consumers.kafka_messages import message_from
from badges_plugin.consumers.message import Message
from badges_plugin.exceptions import CannotRead
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

ANSWER_SECONDS = 20.0
SILENCE_SECONDS = 60.0


class KafkaTopicReader:
    """The messages that are on the topic now, up to the current high watermarks."""

    def __init__(self, topic: str, *, since: datetime | None) -> None:
        self._group = f"badges-replay-{uuid4()}"  # never joined; librdkafka requires a name
        self._client = make_client(
            {
                **client_properties(consumer_config(), self._group),
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )
        try:
            self._ranges = self._find_ranges(get_full_topic(topic), since)
        except KafkaException as error:
            self._client.close()
            raise CannotRead(f"Kafka: {error.args[0].str()}") from error

    def close(self) -> None:
        self._client.close()

    def __len__(self) -> int:
        """Return the maximum number of messages to read."""
        return sum(high - low for low, high in self._ranges.values())

    def messages(self) -> Iterator[Message]:
        """Yield the messages, in order within each partition."""
        left = {each: high for each, (low, high) in self._ranges.items() if low < high}
        self._client.assign([TopicPartition(topic, number, self._ranges[topic, number][0]) for topic, number in left])
        while left:
            received = self._next()
            where = (received.topic() or "", received.partition() or 0)
            if _is_end(received):
                left.pop(where, None)
                continue
            offset = received.offset() or 0
            if offset < left.get(where, 0):
                yield message_from(received, self._group)
            if offset + 1 >= left.get(where, 0):
                left.pop(where, None)
        self._client.unassign()

    def _next(self) -> KafkaMessage:
        """Wait for a message or the end of a partition."""
        silent_at = time.monotonic() + SILENCE_SECONDS
        while time.monotonic() < silent_at:
            received = self._client.poll(1.0)
            if received is None:
                continue
            error = received.error()
            if error is None or _is_end(received):
                return received
            if error.fatal():
                raise CannotRead(f"Kafka: {error.name()}, {error.str()}")
            logger.warning("Kafka: %s, %s", error.name(), error.str())
        raise CannotRead(f"Kafka has been silent for {SILENCE_SECONDS:.0f} s.")

    def _find_ranges(self, topic: str, since: datetime | None) -> dict[tuple[str, int], tuple[int, int]]:
        """Return the first offset of each partition and the one after its last."""
        metadata = self._client.list_topics(topic, timeout=ANSWER_SECONDS).topics.get(topic)
        if metadata is None or metadata.error is not None:
            reason = metadata.error.name() if metadata and metadata.error else "unknown"
            raise CannotRead(f"Kafka has no topic {topic} ({reason}). Check --topic and EVENT_BUS_TOPIC_PREFIX.")
        partitions = [TopicPartition(topic, number) for number in metadata.partitions]
        starts = self._starts(partitions, since)
        ranges = {}
        for each in partitions:
            low, high = self._client.get_watermark_offsets(each, timeout=ANSWER_SECONDS)
            ranges[topic, each.partition] = (min(max(low, starts.get(each.partition, low)), high), high)
        return ranges

    def _starts(self, partitions: list[TopicPartition], since: datetime | None) -> dict[int, int]:
        """Return the offset of each partition's first message since then: an event is never sent before it happens."""
        if since is None:
            return {}
        asked = [
            TopicPartition(each.topic, each.partition, max(round(since.timestamp() * 1000), 0)) for each in partitions
        ]
        found = self._client.offsets_for_times(asked, timeout=ANSWER_SECONDS)
        return {each.partition: each.offset for each in found if each.offset >= 0}


def _is_end(received: KafkaMessage) -> bool:
    error = received.error()
    return error is not None and error.name() == "_PARTITION_EOF"
