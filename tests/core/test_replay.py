"""The command that reads the event bus once more, on both buses."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from django.core.management import CommandError, call_command
from openedx_events.event_bus import get_producer
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED
from redis import Redis

from badges_plugin.backfill.applying import apply_all
from badges_plugin.backfill.selection import Filter, Selector
from badges_plugin.backfill.spool import Spool
from badges_plugin.conf import TOPIC
from badges_plugin.consumers.message import DecodedEvent
from badges_plugin.host import User, UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress, Fulfillment, Learner
from tests.core.buses import apply_settings, close_registry_client, embedded_kafka
from tests.core.conftest import Heard
from tests.factories import (
    COURSE,
    at,
    make_template,
    metadata,
    passing_data,
    penalizes_failing,
    requires_course,
    user_data,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def kafka_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Mapping[str, str]]]:
    with embedded_kafka(tmp_path_factory.mktemp("replay"), [f"replay{number}" for number in range(8)]) as next_settings:
        yield next_settings


@pytest.fixture(
    params=[
        pytest.param("kafka", marks=pytest.mark.bus),
        pytest.param("redis", marks=pytest.mark.services),
    ]
)
def bus(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    """Settings that lead to a bus, with an empty topic."""
    if request.param == "kafka":
        found = request.getfixturevalue("kafka_bus")()
    else:
        found = {
            "EVENT_BUS_PRODUCER": "edx_event_bus_redis.create_producer",
            "EVENT_BUS_CONSUMER": "badges_plugin.consumers.redis.RedisConsumer",
            "EVENT_BUS_TOPIC_PREFIX": uuid.uuid4().hex,
            **request.getfixturevalue("service")("redis"),
        }
    apply_settings(settings, found)
    yield str(request.param)
    if request.param == "kafka":
        close_registry_client()


def publish(learner: int, minute: float, *, is_passing: bool = True, course: str = COURSE) -> None:
    user = user_data(id=learner, username=f"learner{learner}")
    get_producer().send(
        signal=COURSE_PASSING_STATUS_UPDATED,
        topic=TOPIC,
        event_key_field="course_passing_status.course.course_key",
        event_data={"course_passing_status": passing_data(user, course, is_passing=is_passing)},
        event_metadata=metadata(time=at(minute)),
    )


def publish_poison(bus: str, settings: Any) -> None:
    topic = f"{settings.EVENT_BUS_TOPIC_PREFIX}-{TOPIC}"
    if bus == "kafka":
        get_producer().producer.produce(topic, value=b"no event")
    else:
        Redis.from_url(settings.EVENT_BUS_REDIS_CONNECTION_URL).xadd(topic, {"event_data": b"no event"})


def settle(bus: str) -> None:
    if bus == "kafka":
        assert get_producer().producer.flush(20) == 0


def replay(**options: Any) -> str:
    output = StringIO()
    call_command("badges_replay", stdout=output, **options)
    return output.getvalue()


def test_a_time_that_is_none_is_named_with_an_example(db: None) -> None:
    with pytest.raises(CommandError, match="'yesterday' is not a time such as 2026-01-31T12:00:00Z"):
        call_command("badges_replay", "--since", "yesterday")


def rows() -> list[list[object]]:
    models: tuple[Any, ...] = (User, Learner, BadgeProgress, Fulfillment, BadgeAward, UserCredential)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_awards_what_the_bus_still_holds_once_and_leaves_its_offsets_alone(
    bus: str, settings: Any, heard: Heard
) -> None:
    template = make_template(name="Passed")
    penalizes_failing(template, requires_course(template))
    for learner in range(1, 5):
        publish(learner, 0)
        publish(learner, 1, is_passing=False)
    publish(2, 2)  # lost and earned again
    publish(3, -1, is_passing=False)  # late, and old
    publish(4, 3)
    publish(4, 5, course="course-v1:No+Badge+1")
    publish_poison(bus, settings)
    settle(bus)
    said = replay(dry_run=True)
    assert "13 events: 11 matter, 1 matter for no active badge template" in said
    assert "1 unreadable" in said
    assert "4 learners, 4 would be new here; 2 badges would be awarded, 0 would be revoked" in said
    assert not User.objects.exclude(lms_user_id=None).exists()
    heard.awarded.clear()
    assert "2 badges awarded, 0 revoked" in replay()
    assert sorted(award.user.username for award in heard.awarded) == ["learner2", "learner4"]
    assert heard.revoked == []
    before = rows()
    assert "nothing changed for 4 learners" in replay()
    assert rows() == before


def test_reads_from_a_time_on(bus: str, heard: Heard) -> None:
    requires_course(make_template())
    publish(1, 0)
    publish(2, 10)
    settle(bus)
    since: datetime = at(5)
    assert "1 too old" in replay(since=since)
    assert [award.user.username for award in heard.awarded] == ["learner2"]


def test_a_topic_that_is_not_there_is_said(bus: str, settings: Any) -> None:
    settings.EVENT_BUS_TOPIC_PREFIX = "nowhere"
    with pytest.raises(CommandError, match=r"nowhere-learning-badges-lifecycle|Kafka"):
        replay()


def test_a_folder_for_the_events_that_is_not_there_is_said(bus: str, tmp_path: Path) -> None:
    publish(1, 0)
    settle(bus)
    with pytest.raises(CommandError, match=r"cannot be stored on disk.*--spool-dir"):
        replay(spool_dir=tmp_path / "nowhere")


def test_an_address_of_redis_that_is_none_is_said_without_its_password(settings: Any) -> None:
    settings.EVENT_BUS_REDIS_CONNECTION_URL = "redis://:secret/word@redis:6379/0"
    with pytest.raises(CommandError, match="is not a Redis URL") as caught:
        replay(bus="redis")
    assert "secret" not in str(caught.value)


@pytest.mark.bus
def test_no_group_is_left_behind_at_kafka(kafka_bus: Callable[[], Mapping[str, str]], settings: Any) -> None:
    found = kafka_bus()
    apply_settings(settings, found)
    requires_course(make_template())
    publish(1, 0)
    settle("kafka")
    partitions = [TopicPartition(f"{settings.EVENT_BUS_TOPIC_PREFIX}-{TOPIC}", number) for number in range(4)]
    client = Consumer({"bootstrap.servers": found["EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS"], "group.id": "credentials"})
    client.commit(offsets=[TopicPartition(each.topic, each.partition, 0) for each in partitions], asynchronous=False)
    replay()
    assert [each.offset for each in client.committed(partitions, timeout=10)] == [0, 0, 0, 0]
    client.close()
    close_registry_client()


def test_a_bus_that_nobody_named_is_asked_for(settings: Any) -> None:
    settings.EVENT_BUS_CONSUMER = settings.EVENT_BUS_PRODUCER = None
    with pytest.raises(CommandError, match="--bus"):
        replay()


def test_c2_a_retirement_counts_whatever_badge_it_matters_for(db: None, heard: Heard) -> None:
    """The event of a course that earns nothing says that the learner was retired since."""
    requires_course(make_template())
    gone = {"username": "retired__user_1", "email": "retired__user_1@retired.invalid", "name": ""}
    said = [passing_data(user_data()), passing_data(user_data(**gone), "course-v1:No+Badge+1")]
    with Spool() as spool:
        selector = Selector(spool, Filter())
        for minute, data in enumerate(said):
            known = metadata(time=at(minute))
            selector.select(DecodedEvent(COURSE_PASSING_STATUS_UPDATED, known, {"course_passing_status": data}))
        applied = apply_all(spool, templates=None, dry_run=False, on_learner=lambda count: None)
    assert dict(applied.ignored) == {"its learner was retired": 1}
    assert (heard.awarded, User.objects.filter(lms_user_id=77).exists()) == ([], False)
