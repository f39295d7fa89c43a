"""Take batches of events from a Kafka client, and store their offsets once they were handled."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaException
from confluent_kafka import Message as KafkaMessage

from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.exceptions import CannotGoOn
from badges_plugin.consumers.kafka_losses import Losses, lowest_offset
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

# Errors from which the client recovers: unavailable brokers, a topic that does not exist yet, a late poll.
REPORTED_ONLY = frozenset(
    {
        "_ALL_BROKERS_DOWN",
        "_MAX_POLL_EXCEEDED",
        "_RESOLVE",
        "_TIMED_OUT",
        "_TRANSPORT",
        "LEADER_NOT_AVAILABLE",
        "UNKNOWN_TOPIC_OR_PART",
    }
)


class Batches:
    """Takes and acknowledges batches. Partitions change hands only while a batch is taken."""

    def __init__(self, client: Consumer, losses: Losses, config: ConsumerConfig) -> None:
        self._client = client
        self._losses = losses
        self._config = config
        self._given_back: list[int] = []

    def give_back(self, partitions: Sequence[int]) -> None:
        """Note that these partitions are no longer this consumer's."""
        self._given_back.extend(partitions)
        self._losses.released(list(partitions))

    @property
    def given_back(self) -> frozenset[int]:
        """The partitions that changed hands while the last batch was taken."""
        return frozenset(self._given_back)

    def take(self, size: int, *, waits: bool = True) -> list[KafkaMessage]:
        """Return up to so many events; none if none came within ``poll_timeout``. Raises CannotGoOn.

        After the first, waits ``batch_milliseconds`` for the others: asked for several at once, the client would wait
        the full time although there is one. Without ``waits``, returns none unless the first is there already.
        """
        self._given_back.clear()
        first = self._client.poll(self._config.poll_timeout if waits else 0)
        # Not "if first": the length of a message with an empty value is 0.
        if first is None:
            return []
        until_then = len(self._given_back)
        others = self._client.consume(size - 1, self._config.batch_milliseconds / 1000) if size > 1 else []
        # If its partition was taken away meanwhile, whoever has it now is given the first event, too.
        received = others if first.partition() in self._given_back[until_then:] else [first, *others]
        events = [each for each in received if _is_event(each)]
        for each in events:
            self._check_for_gap(each)
        return events

    def acknowledge(self, batch: Sequence[KafkaMessage]) -> None:
        """Store the offset of the last message of each partition; the client commits it in the background."""
        for last in {each.partition(): each for each in batch}.values():
            try:
                self._client.store_offsets(message=last)
            except KafkaException as error:
                # The partition now belongs to another consumer, to which the messages are delivered again.
                logger.warning("Offset %d of partition %d was not stored: %s", last.offset(), last.partition(), error)

    def _check_for_gap(self, received: KafkaMessage) -> None:
        topic, partition = received.topic() or "", received.partition() or 0
        self._losses.received(
            partition, received.offset() or 0, lowest=lambda: lowest_offset(self._client, topic, partition)
        )


def _is_event(received: KafkaMessage) -> bool:
    """Return whether this is an event, not an error report of the client. Raises CannotGoOn for a fatal error."""
    error = received.error()
    if error is None:
        return True
    if error.name() not in REPORTED_ONLY and not error.retriable():
        raise CannotGoOn(f"Kafka: {error.name()}, {error.str()}")
    logger.warning("Kafka: %s, %s", error.name(), error.str())
    return False
