"""Consume a Kafka topic: take a batch of events, apply or store each of them, and store their offsets.

An offset is stored in the client only after its event was applied or stored; the client commits stored offsets in the
background, and again when partitions are revoked and when it closes. After a crash the events of the last
``commit_interval`` are delivered again, which is harmless because events are identified by id and time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from edx_django_utils.monitoring import set_custom_attribute
from edx_event_bus_kafka.internal.config import get_full_topic, load_common_settings
from edx_event_bus_kafka.internal.consumer import KAFKA_CONSUMERS_ENABLED

from badges_plugin import heartbeat
from badges_plugin.consumers.applying import Applier
from badges_plugin.consumers.config import ConsumerConfig, consumer_config
from badges_plugin.consumers.deferred import Retries
from badges_plugin.consumers.exceptions import CannotGoOn
from badges_plugin.consumers.kafka_ahead import Ahead
from badges_plugin.consumers.kafka_batches import Batches
from badges_plugin.consumers.kafka_losses import Losses, check_assigned
from badges_plugin.consumers.kafka_messages import BUS, registry
from badges_plugin.consumers.running import StopRequest
from badges_plugin.consumers.starting import get_ready
from badges_plugin.logs import get_logger
from badges_plugin.vitals import GroupName, Kind, Vitals

logger = get_logger(__name__)

# A consumer that waits for its database must keep its partitions.
POLL_INTERVAL_OVER_PATIENCE_SECONDS = 180.0

TOPIC_REFRESH_MILLISECONDS = 30_000

# The client retries an unavailable broker, and logs it, twice in this time. Its default causes 20 lines a second.
RECONNECT_MILLISECONDS = 2_000


def consume(topic: str, group: str, stop: StopRequest) -> None:
    """Consume ``topic`` (without prefix) for ``group`` until ``stop``. Raises CannotGoOn or Stopped."""
    if not KAFKA_CONSUMERS_ENABLED.is_enabled():
        logger.error("EVENT_BUS_KAFKA_CONSUMERS_ENABLED is off: not consuming.")
        return
    config = consumer_config()
    get_ready(stop)
    properties = client_properties(config, group)
    registry()  # without one, every event would be unreadable
    client = make_client(properties)
    full_topic = get_full_topic(topic)
    losses = Losses(group, config.offset_reset)
    batches = Batches(client, losses, config)
    client.subscribe([full_topic], **_callbacks(losses, batches))
    logger.info("Consuming %s for group %s.", full_topic, group)
    try:
        applier = Applier(config, stop)
        signs = Vitals(Kind.CONSUMER, GroupName(BUS, full_topic, group), applier.counts)
        reports = (LagReport(client, config.lag_interval).report_when_due, signs.report_when_due)
        with Ahead(batches, group) as ahead:
            _loop(ahead, batches, applier, reports, stop)
        signs.end()
    finally:
        # Commits the stored offsets, gives the partitions back and leaves the group, so others take over at once.
        client.close()
        logger.info("Closed.")


def _loop(
    ahead: Ahead, batches: Batches, applier: Applier, reports: Sequence[Callable[[], None]], stop: StopRequest
) -> None:
    retries = Retries()
    while not stop():
        heartbeat.beat()
        batch = ahead.take(applier.batch_size)
        while batch:
            done = len(applier.apply_or_store([message for _, message in batch[: applier.batch_size]]))
            batches.acknowledge([received for received, _ in batch[:done]])
            # What is left waits for the schema registry, or is more than can be applied together by now; after a stop
            # it is delivered again.
            batch = [] if stop() else batch[done:]
        for report_when_due in reports:
            report_when_due()
        retries.when_due()


class LagReport:
    """Logs, every ``interval`` seconds, how many messages in its partitions a consumer has yet to process."""

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
        """Return the lag by partition as of the client's last fetches; makes no request.

        Partitions from which nothing was consumed yet are left out.
        """
        lags = {}
        for position in self._client.position(self._client.assignment()):
            if position.offset >= 0:
                _, high = self._client.get_watermark_offsets(position, cached=True)
                lags[position.partition] = max(high - position.offset, 0)
        return lags


def client_properties(config: ConsumerConfig, group: str) -> dict[str, Any]:
    """Return the properties for librdkafka: the bus library's connection settings and those of this consumer.

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
        # A topic or partition created while the consumer runs is found this soon, not after the default 5 minutes.
        "topic.metadata.refresh.interval.ms": TOPIC_REFRESH_MILLISECONDS,
        "reconnect.backoff.ms": _reconnect_milliseconds(config),
        **config.kafka,
    }


def _reconnect_milliseconds(config: ConsumerConfig) -> int:
    # The client rejects a value above the maximum, which the operator may have lowered.
    maximum = config.kafka.get("reconnect.backoff.max.ms")
    return min(RECONNECT_MILLISECONDS, maximum) if isinstance(maximum, int) else RECONNECT_MILLISECONDS


def make_client(properties: dict[str, Any]) -> Consumer:
    """Return a Kafka client. Raises CannotGoOn, which names the property, when these properties are invalid."""
    if not properties.get("group.id"):
        # librdkafka would abort the process.
        raise CannotGoOn('Kafka: the property "group.id" is empty')
    try:
        return Consumer(properties, logger=logger)
    except KafkaException as error:
        # The message is about a property and contains no value except that property's.
        raise CannotGoOn(f"Kafka: {error.args[0].str()}") from error
    except (AttributeError, TypeError, ValueError) as error:
        # A property of the Python client, such as a callback.
        raise CannotGoOn(f"Kafka: {error}") from error


def _callbacks(losses: Losses, batches: Batches) -> dict[str, Callable[[Consumer, list[TopicPartition]], None]]:
    """Return the callbacks for partitions that are assigned, revoked or lost; they run while a batch is taken."""

    def on_assign(client: Consumer, partitions: list[TopicPartition]) -> None:
        logger.info("Assigned partitions %s.", [each.partition for each in partitions])
        check_assigned(losses, client, partitions)

    def on_revoke(client: Consumer, partitions: list[TopicPartition]) -> None:
        # The offsets of earlier batches are stored; the client commits them before it gives the partitions back.
        logger.info("Giving back partitions %s.", [each.partition for each in partitions])
        batches.give_back([each.partition for each in partitions])

    def on_lost(client: Consumer, partitions: list[TopicPartition]) -> None:
        logger.warning("Lost partitions %s.", [each.partition for each in partitions])
        batches.give_back([each.partition for each in partitions])

    return {"on_assign": on_assign, "on_revoke": on_revoke, "on_lost": on_lost}


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
