"""The Kafka consumer's loop.

Offsets are stored in the client after an event was applied or stored, and only then; the client commits stored
offsets in the background, and once more when partitions are taken away and when it closes. A process that dies
has the last ``commit_interval`` delivered again, which processing by event id and time makes harmless.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage
from edx_django_utils.monitoring import set_custom_attribute
from edx_event_bus_kafka.internal.config import get_full_topic, load_common_settings
from edx_event_bus_kafka.internal.consumer import KAFKA_CONSUMERS_ENABLED

from badges_plugin import heartbeat
from badges_plugin.consumers.applying import Applier, announce_what_was_left
from badges_plugin.consumers.config import ConsumerConfig, consumer_config
from badges_plugin.consumers.deferred import Retries
from badges_plugin.consumers.exceptions import CannotGoOn
from badges_plugin.consumers.kafka_losses import Losses, look_at_assigned, lowest_offset
from badges_plugin.consumers.kafka_messages import message_from, registry
from badges_plugin.consumers.stopping import StopRequest
from badges_plugin.logs import get_logger

logger = get_logger(__name__)

# A consumer that waits for its database must not lose its partitions meanwhile.
POLL_INTERVAL_OVER_PATIENCE_SECONDS = 180.0

TOPIC_REFRESH_MILLISECONDS = 30_000

# The client tries a broker that is away, and logs it, twice in this time. By default that is 20 lines a second.
RECONNECT_MILLISECONDS = 2_000

# What the client reports and gets over by itself: brokers away, a topic that is not created yet, a late poll.
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


def consume(topic: str, group: str, stop: StopRequest) -> None:
    """Consume ``topic`` (without prefix) for ``group`` until ``stop``. Raises CannotGoOn or Stopped."""
    if not KAFKA_CONSUMERS_ENABLED.is_enabled():
        logger.error("EVENT_BUS_KAFKA_CONSUMERS_ENABLED is off: not consuming.")
        return
    config = consumer_config()
    announce_what_was_left(stop)
    properties = client_properties(config, group)
    registry()  # with none configured, every event would be one that cannot be read
    client = make_client(properties)
    full_topic = get_full_topic(topic)
    losses = Losses(group, config.offset_reset)
    client.subscribe([full_topic], **_callbacks(losses))
    logger.info("Consuming %s for group %s.", full_topic, group)
    try:
        _loop(client, config, losses, stop)
    finally:
        # Commits what was stored, gives the partitions back and leaves the group: others take over at once.
        client.close()
        logger.info("Closed.")


def _loop(client: Consumer, config: ConsumerConfig, losses: Losses, stop: StopRequest) -> None:
    applier = Applier(config, stop)
    lag = LagReport(client, config.lag_interval)
    retries = Retries()
    while not stop():
        heartbeat.beat()
        received = client.poll(config.poll_timeout)
        lag.report_when_due()
        retries.when_due()
        # Not "if received": a message with an empty value has the length 0.
        if received is None or not _is_event(received):
            continue
        _look_for_a_gap(losses, client, received)
        applier.apply_or_store(message_from(received, losses.group))
        _store_offset(client, received)


def _look_for_a_gap(losses: Losses, client: Consumer, received: KafkaMessage) -> None:
    topic, partition = received.topic() or "", received.partition() or 0
    losses.received(partition, received.offset() or 0, lowest=lambda: lowest_offset(client, topic, partition))


class LagReport:
    """Logs, every ``interval`` seconds, how many messages of its partitions a consumer has yet to handle."""

    def __init__(self, client: Consumer, interval: float) -> None:
        self._client = client
        self._interval = interval
        self._due = time.monotonic() + interval

    def report_when_due(self) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._interval
        lags = self.lags()
        set_custom_attribute("badges_consumer_lag", sum(lags.values()))
        logger.info("Lag %d: %s", sum(lags.values()), lags)

    def lags(self) -> dict[int, int]:
        """Return the lag by partition, from what the client knows by its last fetches; no request is made.

        A partition of which nothing was consumed yet is left out.
        """
        lags = {}
        for position in self._client.position(self._client.assignment()):
            if position.offset >= 0:
                _, high = self._client.get_watermark_offsets(position, cached=True)
                lags[position.partition] = max(high - position.offset, 0)
        return lags


def client_properties(config: ConsumerConfig, group: str) -> dict[str, Any]:
    """Return the properties of librdkafka: the bus library's connection settings and how this consumer works.

    Raises CannotGoOn when the bus library has no connection settings.
    """
    connection = load_common_settings()
    if connection is None:
        raise CannotGoOn("EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS is not set.")
    return {
        **connection,
        "group.id": group,
        "auto.offset.reset": config.offset_reset,
        "enable.auto.offset.store": False,
        "enable.auto.commit": True,
        "auto.commit.interval.ms": _milliseconds(config.commit_interval),
        "session.timeout.ms": _milliseconds(config.session_timeout),
        "max.poll.interval.ms": _milliseconds(
            max(config.patience + POLL_INTERVAL_OVER_PATIENCE_SECONDS, config.session_timeout)
        ),
        # A topic or partition made while the consumer runs is found within this, not the client's 5 minutes.
        "topic.metadata.refresh.interval.ms": TOPIC_REFRESH_MILLISECONDS,
        "reconnect.backoff.ms": _reconnect_milliseconds(config),
        **config.kafka,
    }


def _reconnect_milliseconds(config: ConsumerConfig) -> int:
    # The client refuses one above the maximum, which the operator may have lowered.
    maximum = config.kafka.get("reconnect.backoff.max.ms")
    return min(RECONNECT_MILLISECONDS, maximum) if isinstance(maximum, int) else RECONNECT_MILLISECONDS


def make_client(properties: dict[str, Any]) -> Consumer:
    """Return a client of Kafka. Raises CannotGoOn, naming the property, when it cannot be made of these."""
    if not properties.get("group.id"):
        # The client's library aborts the process.
        raise CannotGoOn('Kafka: the property "group.id" is empty')
    try:
        return Consumer(properties, logger=logger)
    except KafkaException as error:
        # About a property; it names no value but a property's.
        raise CannotGoOn(f"Kafka: {error.args[0].str()}") from error
    except (AttributeError, TypeError, ValueError) as error:
        # A property that is Python's and not librdkafka's, such as a callback.
        raise CannotGoOn(f"Kafka: {error}") from error


def _is_event(received: KafkaMessage) -> bool:
    """Tell an event from a report of the client. Raises CannotGoOn when it reports that it cannot work."""
    error = received.error()
    if error is None:
        return True
    if error.name() not in REPORTED_ONLY and not error.retriable():
        raise CannotGoOn(f"Kafka: {error.name()}, {error.str()}")
    logger.warning("Kafka: %s, %s", error.name(), error.str())
    return False


def _store_offset(client: Consumer, received: KafkaMessage) -> None:
    try:
        client.store_offsets(message=received)
    except KafkaException as error:
        # The partition went to another consumer meanwhile; that one is given the message again.
        logger.warning("Offset %d of partition %d not kept: %s", received.offset(), received.partition(), error)


def _callbacks(losses: Losses) -> dict[str, Callable[[Consumer, list[TopicPartition]], None]]:
    """Return what the client calls, between two messages, when partitions come and go."""

    def on_assign(client: Consumer, partitions: list[TopicPartition]) -> None:
        logger.info("Assigned partitions %s.", [each.partition for each in partitions])
        look_at_assigned(losses, client, partitions)

    def on_revoke(client: Consumer, partitions: list[TopicPartition]) -> None:
        # Everything received is stored; the client commits it before it lets go.
        logger.info("Giving back partitions %s.", [each.partition for each in partitions])
        losses.released([each.partition for each in partitions])

    def on_lost(client: Consumer, partitions: list[TopicPartition]) -> None:
        logger.warning("Lost partitions %s.", [each.partition for each in partitions])
        losses.released([each.partition for each in partitions])

    return {"on_assign": on_assign, "on_revoke": on_revoke, "on_lost": on_lost}


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
