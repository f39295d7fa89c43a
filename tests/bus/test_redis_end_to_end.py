"""From the LMS side through a real Redis to the host: real producer, real consumers, several processes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from redis import Redis

from badges_plugin.conf import CONSUMER_GROUP
from tests.bus.stage import Stage, applied, passing

pytestmark = [pytest.mark.bus, pytest.mark.services]

POISON: list[dict[str, bytes | str]] = [
    {"x": "y"},
    {"id": "7d0f9a1c-0000-11f0-8000-000000000001", "type": "org.example.unknown.v1", "event_data": b"junk"},
    {"id": "no uuid", "type": "org.openedx.learning.course.passing.status.updated.v1", "event_data": b"junk"},
    {"type": "org.openedx.learning.course.passing.status.updated.v1", "event_data": b"junk"},
]


def server(stage: Stage) -> Any:
    """A client; not typed, because redis-py's types describe the answers of both protocol versions at once."""
    return Redis.from_url(stage.bus["EVENT_BUS_REDIS_CONNECTION_URL"])


def pending(stage: Stage) -> int:
    """How many entries of the stream were given to a consumer and not acknowledged."""
    summary = server(stage).xpending(stage.full_topic, CONSUMER_GROUP)
    count: int = summary["pending"]
    return count


@pytest.mark.long
def test_events_poison_and_a_backlog(redis_stage: Stage) -> None:
    before = redis_stage.emit(passing(1), passing(2, course=1, is_passing=False))
    for entry in POISON:
        server(redis_stage).xadd(redis_stage.full_topic, entry)
    first = redis_stage.consumer()
    # Sent before the group existed, and all the same consumed.
    first.wait_for(
        lambda: applied(first, before) and len(redis_stage.failed_events()) == len(POISON), "all was applied or stored"
    )
    assert first.stop() == 0
    assert "learner1" not in first.log()
    assert pending(redis_stage) == 0

    meanwhile = redis_stage.emit(passing(3), passing(4, course=1))
    second = redis_stage.consumer("second")
    second.wait_for(lambda: applied(second, meanwhile), "what came while no consumer ran was applied")
    assert second.stop() == 0
    counts, have_ended = redis_stage.reported()
    assert (sum(counts.values()), counts["failed"]) == (len(before) + len(meanwhile) + len(POISON), len(POISON))
    assert have_ended
    assert not any(event_id in second.log() for event_id in before)
    assert pending(redis_stage) == 0


@pytest.mark.long
def test_what_a_dead_consumer_was_given_is_taken_over_by_a_running_one(redis_stage: Stage) -> None:
    sent = redis_stage.emit(passing(1), passing(2))
    client = server(redis_stage)
    client.xgroup_create(redis_stage.full_topic, CONSUMER_GROUP, id="0")
    # What a consumer that was killed leaves behind: entries it was given, and trimmed away one of them.
    given = client.xreadgroup(CONSUMER_GROUP, "killed", {redis_stage.full_topic: ">"}, count=2)
    assert given
    trimmed = client.xadd(redis_stage.full_topic, {"x": "y"})
    client.xreadgroup(CONSUMER_GROUP, "killed", {redis_stage.full_topic: ">"}, count=1)
    client.xdel(redis_stage.full_topic, trimmed)

    consumer = redis_stage.consumer(extra=json.dumps({"claim_msgs_older_than": 100}))
    consumer.wait_for(lambda: applied(consumer, sent) and pending(redis_stage) == 0, "they were taken over")
    lost = f"{trimmed.decode()}) was removed from the stream before it was processed; it is lost"
    consumer.wait_for(lambda: lost in consumer.log(), "what was lost was said to be")
    assert redis_stage.failed_events() == []
    assert consumer.stop() == 0


@pytest.mark.long
def test_what_was_trimmed_while_nobody_consumed_is_said_to_be_lost(redis_stage: Stage) -> None:
    first = redis_stage.emit(passing(1))
    consumer = redis_stage.consumer()
    consumer.wait_for(lambda: applied(consumer, first), "it was applied")
    assert consumer.stop() == 0

    missed = redis_stage.emit(*(passing(user) for user in range(2, 7)))
    server(redis_stage).xtrim(redis_stage.full_topic, maxlen=2, approximate=False)
    consumer = redis_stage.consumer("after")
    consumer.wait_for(lambda: applied(consumer, missed[-2:]), "the rest was applied")
    assert (
        f"3 events were trimmed from the stream before they were delivered to group {CONSUMER_GROUP}" in consumer.log()
    )
    assert consumer.stop() == 0

    again = redis_stage.consumer("again")
    again.wait_for(lambda: "Consuming" in again.log(), "it was there")
    assert again.stop() == 0
    assert "were trimmed" not in again.log()


@pytest.mark.long
def test_a_restart_is_given_first_what_it_had_not_acknowledged(redis_stage: Stage) -> None:
    sent = redis_stage.emit(passing(1), passing(2), passing(3))
    client = server(redis_stage)
    client.xgroup_create(redis_stage.full_topic, CONSUMER_GROUP, id="0")
    entries = client.xrange(redis_stage.full_topic)
    client.xreadgroup(CONSUMER_GROUP, "c1", {redis_stage.full_topic: ">"}, count=3)
    client.xdel(redis_stage.full_topic, entries[0][0])  # trimmed while pending: the ones behind it must still come

    consumer = redis_stage.consumer(extra='{"consumer_name": "c1"}')
    consumer.wait_for(lambda: applied(consumer, sent[1:]) and pending(redis_stage) == 0, "they were applied")
    assert "was removed from the stream before it was processed; it is lost" in consumer.log()


@pytest.mark.long
def test_the_database_is_away_too_long(redis_stage: Stage) -> None:
    redis_stage.settings["patience"] = 1
    consumer = redis_stage.consumer("impatient", extra='{"consumer_name": "c1"}')
    consumer.wait_for(lambda: "Consuming" in consumer.log(), "it was there")
    away = redis_stage.folder.with_name("away")
    redis_stage.folder.rename(away)
    sent = redis_stage.emit(passing(1))
    assert consumer.wait() == 1
    assert pending(redis_stage) == 1
    away.rename(redis_stage.folder)
    successor = redis_stage.consumer("successor", extra='{"consumer_name": "c1"}')
    successor.wait_for(lambda: applied(successor, sent) and pending(redis_stage) == 0, "it was applied")
    assert redis_stage.failed_events() == []


def test_redis_loses_its_data_and_the_consumer_goes_on(redis_stage: Stage) -> None:
    consumer = redis_stage.consumer()
    first = redis_stage.emit(passing(1))
    consumer.wait_for(lambda: applied(consumer, first), "it was applied")
    server(redis_stage).delete(redis_stage.full_topic)
    second = redis_stage.emit(passing(2))
    consumer.wait_for(lambda: applied(consumer, second), "the group was made again and the event applied")
    assert consumer.stop() == 0


def test_a_stream_that_is_none_is_named(redis_stage: Stage) -> None:
    server(redis_stage).set(redis_stage.full_topic, "no stream")
    consumer = redis_stage.consumer()
    assert consumer.wait() == 1
    assert "WRONGTYPE" in consumer.log()
