"""Probe Kafka: the broker, the topic, the consumer group and the schema registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.schema_registry.error import SchemaRegistryError
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from edx_event_bus_kafka.internal.config import get_full_topic

from badges_plugin.conf import CONSUMER_GROUP
from badges_plugin.consumers import kafka_lag
from badges_plugin.consumers.config import consumer_config
from badges_plugin.consumers.exceptions import CannotGoOn
from badges_plugin.consumers.kafka_loop import client_properties, make_client
from badges_plugin.consumers.kafka_losses import standings
from badges_plugin.consumers.kafka_messages import is_about_the_schema, registry
from badges_plugin.doctor.findings import Finding
from badges_plugin.doctor.lag_probe import lag

ANSWER_SECONDS = 5.0
# Follows every other error, and does not give the reason.
_NO_REASONS = frozenset({"_ALL_BROKERS_DOWN"})
_NO_SCHEMA = 2_147_483_647  # the largest id: a registry that answers has no such schema


def examine(topic: str, group: str = CONSUMER_GROUP) -> Iterator[Finding]:
    """Check the configured broker and registry as a consumer of the group would use them, without joining it."""
    try:
        properties = client_properties(consumer_config(), group)
    except CannotGoOn as problem:
        yield Finding.error(str(problem), "Set it to the Kafka brokers, as host:port.")
        return
    except ImproperlyConfigured as problem:
        yield Finding.error(str(problem), "Correct it.")
        return
    yield from _broker(properties, get_full_topic(topic), topic)
    yield from _registry()


def _broker(properties: dict[str, Any], topic: str, short_topic: str) -> Iterator[Finding]:
    reported: list[KafkaError] = []
    try:
        # Its log would only repeat these errors every second.
        client = make_client({**properties, "log_level": 0, "error_cb": reported.append})
    except CannotGoOn as problem:
        yield Finding.error(str(problem), 'Correct BADGES_CONFIG["consumer"]["kafka"].')
        return
    with closing(client):
        try:
            found = client.list_topics(timeout=ANSWER_SECONDS).topics
        except KafkaException as error:
            client.poll(0)  # calls error_cb
            reasons = [each.str() for each in reported if each.name() not in _NO_REASONS]
            yield Finding.error(
                f"No Kafka broker answers at {properties['bootstrap.servers']}: "
                f"{reasons[-1] if reasons else error.args[0].name()}.",
                "Start Kafka, or correct EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS and the credentials; check the network.",
            )
            return
    if topic not in found:
        yield Finding.error(
            f"Kafka has no topic {topic}.",
            f"Create it: kafka-topics.sh --create --topic {topic} --partitions 4. Or correct EVENT_BUS_TOPIC_PREFIX, "
            "which must be the same in the LMS.",
        )
        return
    partitions = [TopicPartition(topic, number) for number in found[topic].partitions]
    yield Finding.ok(f"Kafka answers and has topic {topic} with {len(partitions)} partitions.")
    yield from _group(properties, partitions, short_topic)


def _group(properties: dict[str, Any], partitions: list[TopicPartition], short_topic: str) -> Iterator[Finding]:
    """Check that the group reads the topic, and that no event was deleted before the group read it.

    Gaps that running consumers have met are in their log.
    """
    group = properties["group.id"]
    with closing(make_client({**properties, **kafka_lag.LOOKING})) as client:
        try:
            found = standings(client, partitions)
            reset = consumer_config().offset_reset
            lags = kafka_lag.lags(client, partitions[0].topic, found, reset) if partitions else []
        except KafkaException as error:
            yield Finding.warning(
                f"The offsets of group {group} cannot be read: {error.args[0].name()}.",
                "Let the Kafka user read the group. If the consumers' group has another name, give it with --group.",
            )
            return
    if all(each.committed is None for each in found) and any(each.high for each in found):
        yield Finding.warning(
            f"Group {group} has not read any event of the topic.",
            f"Start manage.py consume_events -t {short_topic} -g {group} --extra '{{}}'. If the consumers' group has "
            "another name, give it with --group.",
        )
    else:
        yield from lag(group, lags, timezone.now())
    if deleted := {each.partition: each.deleted for each in found if each.deleted}:
        yield Finding.error(
            f"{sum(deleted.values())} events were deleted from the topic before group {group} read them, by partition: "
            f"{deleted}.",
            "They are lost: use badges_backfill. Increase the topic's retention, and start the consumers, or more of "
            "them.",
        )
    if recreated := [each.partition for each in found if each.was_recreated]:
        yield Finding.error(
            f"Group {group} has read beyond the end of partitions {recreated}: the topic was recreated.",
            "Start the consumers: they start over, too. Unread events of the old topic are lost: use badges_backfill.",
        )


def _registry() -> Iterator[Finding]:
    try:
        client = registry()
    except CannotGoOn as problem:
        yield Finding.error(str(problem), "Set it to the URL of the schema registry.")
        return
    try:
        client.get_schema(_NO_SCHEMA)
    except SchemaRegistryError as error:
        if is_about_the_schema(error):
            yield Finding.ok("The schema registry answers.")
            return
        yield Finding.error(
            f"The schema registry answers {error.http_status_code}.",
            "Look at its log, and check EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL, _API_KEY and _API_SECRET.",
        )
    except Exception as error:  # noqa: BLE001 - the HTTP library's errors change with the client's version
        yield Finding.error(
            f"The schema registry does not answer: {type(error).__name__}.",
            "Start it, or correct EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL.",
        )
