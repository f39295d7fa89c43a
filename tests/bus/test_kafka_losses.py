"""Events that the topic no longer holds: counted and said, once for each gap."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Producer

from badges_plugin.conf import CONSUMER_GROUP, TOPIC
from badges_plugin.consumers.kafka_losses import Losses, Standing
from badges_plugin.doctor import Finding, Level, kafka_probe
from tests.bus.stage import Stage, applied, passing
from tests.core.buses import apply_settings, close_registry_client


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    lines: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.ERROR:
                lines.append(record.getMessage())

    listener = Listener()
    logger = logging.getLogger("badges_plugin.consumers.kafka_losses")
    logger.addHandler(listener)
    yield lines
    logger.removeHandler(listener)


@pytest.mark.parametrize(
    ("reset", "committed", "low", "high", "lost", "words"),
    [
        ("earliest", None, 7, 9, 0, None),  # a new group has missed nothing
        ("earliest", 3, 0, 9, 0, None),
        ("earliest", 3, 3, 3, 0, None),
        ("earliest", 9, 9, 9, 0, None),
        ("earliest", 3, 5, 9, 2, "2 events of partition 1 were deleted"),
        ("earliest", 0, 9, 9, 9, "offsets 0 to 8"),  # nothing is left at all
        ("latest", 3, 5, 9, 6, "offsets 3 to 8"),  # and what is left is passed over
        ("earliest", 9, 0, 4, 0, "was recreated"),
    ],
)
def test_f4_what_was_deleted_while_nobody_consumed_is_said_at_once(
    said: list[str], reset: str, committed: int | None, low: int, high: int, lost: int, words: str | None
) -> None:
    losses = Losses("credentials", reset)
    losses.assigned([Standing(0, 4, 0, 4), Standing(1, committed, low, high)])

    assert losses.lost == lost
    assert [words is not None and words in line for line in said] == ([] if words is None else [True])


@pytest.mark.parametrize(
    ("offsets", "low", "lost", "lines"),
    [
        ([3, 4, 5], 0, 0, 0),
        ([6], 6, 3, 1),
        ([3, 9, 10, 12], 12, 6, 2),  # retention overtakes a slow consumer, twice
        ([6], None, 3, 1),  # nobody answers: better said than not
        ([3, 5, 7, 9], 0, 0, 1),  # compaction, or marks of transactions
        ([3, 4, 0, 1], 0, 0, 1),  # the topic was recreated meanwhile
    ],
)
def test_f4_what_is_deleted_while_a_consumer_works_is_said_with_the_next_event(
    said: list[str], offsets: list[int], low: int | None, lost: int, lines: int
) -> None:
    losses = Losses("credentials", "earliest")
    losses.assigned([Standing(0, 3, 0, 20)])
    for offset in offsets:
        losses.received(0, offset, lowest=lambda: low)

    assert (losses.lost, len(said)) == (lost, lines)


def test_f4_the_same_loss_is_counted_once_and_a_partition_that_went_away_not_at_all(said: list[str]) -> None:
    losses = Losses("credentials", "earliest")
    losses.assigned([Standing(0, 3, 5, 9), Standing(1, None, 0, 0)])
    losses.received(0, 5, lowest=lambda: 5)
    losses.received(1, 40, lowest=lambda: 40)  # no group has read it before
    losses.released([0])
    losses.received(0, 90, lowest=lambda: 90)
    losses.assigned([Standing(0, 91, 5, 95)])
    losses.received(0, 91, lowest=lambda: 5)

    assert losses.lost == 2
    assert len(said) == 1


@pytest.mark.long
@pytest.mark.bus
@pytest.mark.slow
def test_f4_a_consumer_and_the_doctor_say_how_many_the_broker_deleted(kafka_stage: Stage, settings: Any) -> None:
    first = kafka_stage.emit(passing(1))
    consumer = kafka_stage.consumer()
    consumer.wait_for(lambda: applied(consumer, first), "it was applied")
    assert consumer.stop() == 0
    _fill_every_partition(kafka_stage)

    findings = _doctor(kafka_stage, settings)
    [finding] = [each for each in findings if "were deleted from the topic" in each.what]
    assert finding.level is Level.ERROR
    assert f"before group {CONSUMER_GROUP} read them" in finding.what

    again = kafka_stage.consumer("again")
    again.wait_for(
        lambda: f"were deleted from the topic before group {CONSUMER_GROUP} read them" in again.log(), "said"
    )
    again.kill()


def _fill_every_partition(stage: Stage) -> None:
    """The embedded broker keeps 5 MB of a partition, and deletes the oldest, as retention does."""
    producer = Producer({"bootstrap.servers": stage.bus["EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS"]})
    for _ in range(12):
        for partition in range(4):
            producer.produce(stage.full_topic, value=b"x" * 600_000, partition=partition)
        assert producer.flush(20) == 0


def _doctor(stage: Stage, settings: Any) -> list[Finding]:
    apply_settings(settings, {**stage.bus, "EVENT_BUS_TOPIC_PREFIX": stage.prefix})
    try:
        return list(kafka_probe.examine(TOPIC, CONSUMER_GROUP))
    finally:
        close_registry_client()


@pytest.mark.parametrize(
    ("committed", "low", "high", "earliest", "latest"),
    [
        (None, 3, 9, 3, 9),
        (5, 3, 9, 5, 5),
        (9, 3, 9, 9, 9),
        # Deleted unread, and a topic that was made again: the client starts over.
        (1, 3, 9, 3, 9),
        (12, 0, 9, 0, 9),
    ],
)
def test_a_group_goes_on_where_the_client_does(
    committed: int | None, low: int, high: int, earliest: int, latest: int
) -> None:
    standing = Standing(0, committed, low, high)
    assert (standing.following("earliest"), standing.following("latest")) == (earliest, latest)
