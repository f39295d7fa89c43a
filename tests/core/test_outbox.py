"""Public events of awards and revocations: after the commit, until the bus has them, always with the same id."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openedx_events.data import EventsMetadata
from openedx_events.event_bus import EventBusProducer
from openedx_events.learning.data import BadgeData
from openedx_events.learning.signals import BADGE_AWARDED, BADGE_REVOKED
from openedx_events.tooling import OpenEdxPublicSignal

from badges_plugin import api, dispatch
from badges_plugin.backfill.reading_kafka import KafkaTopicReader
from badges_plugin.backfill.reading_redis import RedisStreamReader
from badges_plugin.conf import TOPIC as TOPIC_NAME
from badges_plugin.models import BadgeAward
from badges_plugin.processing.badge_events import Kind, event_id
from tests.core.buses import apply_settings, close_registry_client, closed_port, embedded_kafka
from tests.core.conftest import Commit
from tests.factories import (
    PASSING,
    make_template,
    make_user,
    metadata,
    passing_data,
    penalizes_failing,
    requires_course,
    send_passing,
    user_data,
)

pytestmark = pytest.mark.django_db
TOPIC = {"learning-badges-lifecycle": {"event_key_field": "badge.uuid", "enabled": True}}


class Queue:
    """What of a Kafka client matters here: how many messages are still in its queue after waiting for the broker."""

    def __init__(self) -> None:
        self.left = 0
        self.flushed = 0

    def flush(self, timeout: float) -> int:
        self.flushed += 1
        return self.left


class FakeProducer(EventBusProducer):  # type: ignore[misc]
    """A bus that takes events, does not answer, or refuses them as the bus libraries do: by logging and returning."""

    def __init__(self) -> None:
        self.taken: list[EventsMetadata] = []
        self.producer = Queue()
        self.fails_with: Exception | None = None
        self.fails_for = ""  # user name; empty: everybody

    def send(self, *, event_metadata: EventsMetadata, event_data: dict[str, Any], **kwargs: Any) -> None:
        if self.fails_with is not None and self.fails_for in ("", event_data["badge"].user.pii.username):
            logging.getLogger("edx_event_bus_kafka.internal.producer").error(
                "Error delivering message. %s %r", event_metadata, event_data, exc_info=self.fails_with
            )
        elif not self.producer.left:
            self.taken.append(event_metadata)


_producer = FakeProducer()


def make_producer() -> FakeProducer:
    """EVENT_BUS_PRODUCER of these tests."""
    return _producer


@pytest.fixture
def bus(settings: Any) -> FakeProducer:
    settings.EVENT_BUS_PRODUCER = f"{__name__}.make_producer"
    settings.EVENT_BUS_PRODUCER_CONFIG = {BADGE_AWARDED.event_type: TOPIC, BADGE_REVOKED.event_type: TOPIC}
    _producer.__init__()  # type: ignore[misc]
    return _producer


@dataclass
class Listener:
    """What receivers in this process hear."""

    heard: list[EventsMetadata] = field(default_factory=list)
    from_bus: list[bool] = field(default_factory=list)

    def hear(self, signal: OpenEdxPublicSignal, metadata: EventsMetadata, from_event_bus: bool, **kw: Any) -> None:
        self.heard.append(metadata)
        self.from_bus.append(from_event_bus)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listen = Listener()
    for signal in (BADGE_AWARDED, BADGE_REVOKED):
        signal.connect(listen.hear)
    yield listen
    for signal in (BADGE_AWARDED, BADGE_REVOKED):
        signal.disconnect(listen.hear)


@pytest.fixture
def learner() -> Any:
    penalizes_failing(make_template(), requires_course(make_template()))
    template = make_template()
    penalizes_failing(template, requires_course(template, "course-v1:Only+This+1"), "course-v1:Only+This+1")
    return make_user()


def passes(learner: Any, *, minute: float = 0, is_passing: bool = True) -> None:
    send_passing(learner, "course-v1:Only+This+1", minute=minute, is_passing=is_passing)


def everything_is_due() -> None:
    past = timezone.now() - timedelta(seconds=1)
    BadgeAward.objects.exclude(publish_due_at=None).update(publish_due_at=past)


def test_a_bus_that_takes_the_event_has_it_once_with_the_time_of_the_award(
    bus: FakeProducer, listener: Listener, commit: Commit, learner: Any
) -> None:
    with commit():
        passes(learner)
    award = BadgeAward.objects.get()
    assert [(event.event_type, event.time) for event in bus.taken] == [(BADGE_AWARDED.event_type, award.awarded_at)]
    assert listener.heard == bus.taken
    assert listener.from_bus == [False]
    assert award.published_at is not None
    assert award.publish_due_at is None
    assert api.publish_pending() == 0


def test_what_a_dead_process_left_is_published_by_another(bus: FakeProducer, learner: Any) -> None:
    passes(learner)  # the process dies between the commit and publishing
    assert api.publish_pending() == 0  # it may still be about to
    everything_is_due()
    assert api.publish_pending() == 1
    assert len(bus.taken) == 1
    assert api.publish_pending() == 0


@pytest.mark.parametrize("failure", ["refuses", "is silent"])
def test_what_the_bus_did_not_take_is_published_again_with_the_same_id(
    bus: FakeProducer, listener: Listener, commit: Commit, learner: Any, failure: str
) -> None:
    if failure == "refuses":
        bus.fails_with = ConnectionError("the schema registry is away")
    else:
        bus.producer.left = 1
    with commit():
        passes(learner)
    assert BadgeAward.objects.get().published_at is None
    everything_is_due()
    assert api.publish_pending() == 0
    bus.fails_with, bus.producer.left = None, 0
    everything_is_due()
    assert api.publish_pending() == 1
    assert {event.id for event in listener.heard} == {bus.taken[0].id}
    assert {event.time for event in listener.heard} == {bus.taken[0].time}


def test_the_log_of_a_refusal_has_the_event_id_and_no_personal_data(
    bus: FakeProducer, commit: Commit, learner: Any, caplog: pytest.LogCaptureFixture
) -> None:
    bus.fails_with = ConnectionError(f"cannot send {learner.email}")
    with caplog.at_level(logging.WARNING), commit():
        passes(learner)
    assert learner.email not in caplog.text
    assert learner.username not in caplog.text
    assert "could not be published: ConnectionError" in caplog.text


def test_an_award_and_its_revocation_that_were_both_left_are_published_in_order(
    bus: FakeProducer, learner: Any
) -> None:
    passes(learner)
    passes(learner, minute=1, is_passing=False)
    everything_is_due()
    assert api.publish_pending() == 2
    assert [event.event_type for event in bus.taken] == [BADGE_AWARDED.event_type, BADGE_REVOKED.event_type]
    award = BadgeAward.objects.get()
    assert [event.time for event in bus.taken] == [award.awarded_at, award.revoked_at]
    assert award.publish_due_at is None


def test_an_award_that_was_left_unpublished_is_published_before_its_revocation(
    bus: FakeProducer, commit: Commit, learner: Any
) -> None:
    passes(learner)
    with commit():
        passes(learner, minute=1, is_passing=False)
    assert [event.event_type for event in bus.taken] == [BADGE_AWARDED.event_type, BADGE_REVOKED.event_type]
    everything_is_due()
    assert api.publish_pending() == 0
    assert BadgeAward.objects.get().publish_due_at is None


def by_time(bus: FakeProducer) -> list[str]:
    return [event.event_type for event in sorted(bus.taken, key=lambda event: event.time)]


def test_a_revocation_that_was_left_is_published_before_the_badge_is_awarded_again(
    bus: FakeProducer, commit: Commit, learner: Any
) -> None:
    with commit():
        passes(learner)
    bus.fails_with = ConnectionError("the bus is away")
    with commit():
        passes(learner, minute=1, is_passing=False)
    bus.fails_with = None
    with commit():
        passes(learner, minute=2)
    assert [event.event_type for event in bus.taken] == by_time(bus)
    assert len(bus.taken) == 3
    assert not BadgeAward.objects.exclude(publish_due_at=None).exists()


def test_awards_of_one_badge_that_were_left_are_published_in_order_whichever_is_due_first(
    bus: FakeProducer, learner: Any
) -> None:
    for minute in range(3):
        passes(learner, minute=minute, is_passing=minute != 1)
    everything_is_due()
    bus.fails_with = ConnectionError("the bus is away")
    assert api.publish_pending() == 0  # the first one is due again later than the second one
    bus.fails_with = None
    assert api.publish_pending() == 3
    assert [event.event_type for event in bus.taken] == by_time(bus)
    assert not BadgeAward.objects.exclude(publish_due_at=None).exists()


def test_every_award_and_revocation_has_an_id_of_its_own(bus: FakeProducer, commit: Commit, learner: Any) -> None:
    with commit():
        for minute in range(4):
            passes(learner, minute=minute, is_passing=minute % 2 == 0)
    assert len({event.id for event in bus.taken}) == 4


def test_an_award_that_was_undone_is_not_published(bus: FakeProducer, commit: Commit, learner: Any) -> None:
    with commit():
        changes = api.process_history([], dry_run=True)
    assert changes.awarded == ()
    assert bus.taken == []


def test_the_bus_is_waited_for_once_for_all_awards_of_a_transaction(
    bus: FakeProducer, commit: Commit, learner: Any
) -> None:
    """One event awards two badges, of which the bus refuses neither."""
    with commit():
        send_passing(learner)
        requires_course(make_template(), "course-v1:Only+This+1")
        passes(learner)
    assert bus.producer.flushed == 2
    assert len(bus.taken) == len({event.id for event in bus.taken}) == 3
    assert not BadgeAward.objects.exclude(publish_due_at=None).exists()


def many_pass(users: list[Any]) -> None:
    events = [
        api.read_event(PASSING, metadata(), {"course_passing_status": passing_data(user_data(user))}) for user in users
    ]
    api.process_batch(events)


def test_one_that_the_bus_refuses_does_not_keep_the_others_of_its_batch(
    bus: FakeProducer, commit: Commit, caplog: pytest.LogCaptureFixture
) -> None:
    requires_course(make_template())
    users = [make_user() for _ in range(4)]
    bus.fails_with, bus.fails_for = ConnectionError(f"cannot send {users[2].email}"), users[2].username
    with commit():
        many_pass(users)
    assert list(BadgeAward.objects.filter(published_at=None).values_list("progress__user", flat=True)) == [users[2].pk]
    assert (bus.producer.flushed, len(bus.taken)) == (1, 3)
    assert users[2].email not in caplog.text
    bus.fails_with = None
    everything_is_due()
    assert api.publish_pending() == 1
    assert len({event.id for event in bus.taken}) == 4


def test_what_a_process_left_that_died_after_a_batch_is_published_in_few_steps(bus: FakeProducer) -> None:
    requires_course(make_template())
    costs = []
    for count in (3, 20):
        many_pass([make_user() for _ in range(count)])  # the process dies between the commit and publishing
        everything_is_due()
        bus.producer.flushed = 0
        with CaptureQueriesContext(connection) as queries:
            assert api.publish_pending() == count
        costs.append(len(queries))
        # The first one alone finds out whether the bus is there.
        assert bus.producer.flushed == 2
        assert not BadgeAward.objects.exclude(publish_due_at=None).exists()
    assert costs[0] == costs[1]


def test_events_of_one_badge_that_are_due_together_keep_their_order(bus: FakeProducer, learner: Any) -> None:
    passes(make_user())
    for minute in range(3):
        passes(learner, minute=minute, is_passing=minute != 1)
    everything_is_due()
    bus.fails_with, bus.fails_for = ConnectionError("only theirs"), learner.username
    assert api.publish_pending() == 1
    bus.fails_with = None
    everything_is_due()
    assert api.publish_pending() == 3
    assert len({event.id for event in bus.taken}) == len(bus.taken) == 4
    own = bus.taken[1:]
    assert [event.time for event in own] == sorted(event.time for event in own)


@pytest.mark.filterwarnings("ignore:.*component will be inactive")
def test_without_a_bus_nothing_stays_due(settings: Any, listener: Listener, commit: Commit, learner: Any) -> None:
    settings.EVENT_BUS_PRODUCER = None
    with commit():
        passes(learner)
    assert len(listener.heard) == 1
    assert BadgeAward.objects.get().publish_due_at is None


@pytest.mark.filterwarnings("ignore:.*component will be inactive")
def test_a_producer_that_cannot_be_made_loses_nothing(
    bus: FakeProducer, settings: Any, commit: Commit, learner: Any
) -> None:
    settings.EVENT_BUS_PRODUCER = "no.such.producer"
    with commit():
        passes(learner)
    settings.EVENT_BUS_PRODUCER = f"{__name__}.make_producer"
    everything_is_due()
    assert api.publish_pending() == 1


@pytest.mark.bus
def test_kafka_for_real_takes_what_it_could_not_take_before(
    tmp_path: Path, settings: Any, bus: FakeProducer, commit: Commit, learner: Any
) -> None:
    with embedded_kafka(tmp_path, ["announce"]) as next_settings:
        right = next_settings()
        apply_settings(settings, {**right, "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL": f"http://127.0.0.1:{closed_port()}"})
        with commit():
            passes(learner)
        close_registry_client()
        assert BadgeAward.objects.get().published_at is None
        apply_settings(settings, right)
        everything_is_due()
        assert api.publish_pending() == 1
        past = KafkaTopicReader(TOPIC_NAME, since=None)
        (message,) = past.messages()
        past.close()
        event = message.decode()
        close_registry_client()
    award = BadgeAward.objects.get()
    assert (event.metadata.id, event.metadata.time) == (event_id(award, Kind.AWARDED), award.awarded_at)
    assert award.published_at is not None


@pytest.mark.services
def test_redis_for_real_takes_what_it_could_not_take_before(
    service: Callable[[str], Mapping[str, str]], settings: Any, bus: FakeProducer, commit: Commit, learner: Any
) -> None:
    right = {
        "EVENT_BUS_PRODUCER": "edx_event_bus_redis.create_producer",
        "EVENT_BUS_TOPIC_PREFIX": uuid.uuid4().hex,
        **service("redis"),
    }
    apply_settings(settings, {**right, "EVENT_BUS_REDIS_CONNECTION_URL": f"redis://127.0.0.1:{closed_port()}/0"})
    with commit():
        passes(learner)
    assert BadgeAward.objects.get().published_at is None
    apply_settings(settings, right)
    everything_is_due()
    assert api.publish_pending() == 1
    past = RedisStreamReader(TOPIC_NAME, since=None)
    (message,) = past.messages()
    past.close()
    assert message.event_id == str(event_id(BadgeAward.objects.get(), Kind.AWARDED))


def test_the_worker_publishes_what_was_left(bus: FakeProducer, learner: Any) -> None:
    passes(learner)
    everything_is_due()
    call_command("deliver_badges", once=True, stdout=StringIO())
    assert [event.event_type for event in bus.taken] == [BADGE_AWARDED.event_type]


@pytest.mark.parametrize("debug", [False, True])  # with it, openedx-events stops at the first exception
def test_b2_a_badge_is_published_whatever_another_app_makes_of_the_event(
    bus: FakeProducer, settings: Any, caplog: Any, debug: bool
) -> None:
    settings.DEBUG = debug
    requires_course(make_template())
    for username in ("ann", "ben"):
        send_passing(make_user(username=username))

    def fail(badge: BadgeData, **kwargs: Any) -> None:
        raise ValueError(f"a bug met by {badge.user.pii.email}")

    BADGE_AWARDED.connect(fail, dispatch_uid="fail")
    dispatch.put_first(BADGE_AWARDED, "fail")  # before the one that hands events to the bus
    everything_is_due()
    try:
        assert api.publish_pending() == 2
    finally:
        BADGE_AWARDED.disconnect(fail, dispatch_uid="fail")
    assert not BadgeAward.objects.filter(published_at=None).exists()
    assert len(bus.taken) == 2
    assert "which is not ours, failed with ValueError" in caplog.text
    assert "ann@example.org" not in caplog.text


@pytest.mark.parametrize("revoked", [True, False])
@pytest.mark.parametrize("change", [{"username": "retired__user_1"}, {"email": "x@retired.invalid"}])
def test_c1_what_is_left_of_a_learner_who_was_retired_is_not_published(
    bus: FakeProducer, learner: Any, listener: Listener, change: dict[str, str], revoked: bool
) -> None:
    passes(learner)
    if revoked:
        passes(learner, is_passing=False, minute=1)
    type(learner).objects.filter(pk=learner.pk).update(**change)
    everything_is_due()
    assert api.publish_pending() == 0
    assert (bus.taken, listener.heard) == ([], [])
    assert not BadgeAward.objects.exclude(publish_due_at=None).exists()


def test_c1_a_revocation_by_hand_of_a_learner_who_was_retired_is_not_published(
    bus: FakeProducer, learner: Any, commit: Commit
) -> None:
    with commit():
        passes(learner)
    award = BadgeAward.objects.select_related("progress__user").get()
    type(learner).objects.filter(pk=learner.pk).update(username="retired__user_1")
    with commit():
        assert api.revoke_award(award, reason="copied")
    assert len(bus.taken) == 1


def test_c1_who_is_retired_while_others_are_published_is_not(bus: FakeProducer, learner: Any) -> None:
    other = make_user()
    passes(other)
    passes(learner)
    everything_is_due()

    def retire(**kwargs: Any) -> None:
        type(learner).objects.filter(pk=learner.pk).update(username="retired__user_1")

    BADGE_AWARDED.connect(retire)
    try:
        assert api.publish_pending() == 1
    finally:
        BADGE_AWARDED.disconnect(retire)
    assert len(bus.taken) == 1
