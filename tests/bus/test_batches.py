"""Batches through the real pipeline: what becomes of each event, in what order, and with how little."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED, STUDENT_REGISTRATION_COMPLETED

from badges_plugin.consumers import storing
from badges_plugin.consumers.applying import Applier, receive
from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.exceptions import CannotGoOn, DecodingUnavailable, Stopped, Undecodable
from badges_plugin.consumers.handled import Handled, Result
from badges_plugin.consumers.message import DecodedEvent, Message
from badges_plugin.consumers.running import StopRequest
from badges_plugin.host import UserCredential
from badges_plugin.models import BadgeAward, FailedEvent
from badges_plugin.signals import badge_awarded
from tests.factories import COURSE, at, make_template, metadata, passing_data, requires_course, user_data

pytestmark = pytest.mark.django_db

OTHER = "course-v1:edX+Other+2026"


def message_of(event: DecodedEvent, position: int, decode: Callable[[], DecodedEvent] | None = None) -> Message:
    return Message(
        bus="kafka",
        topic="topic",
        group="credentials",
        position=f"0:{position}",
        event_id=str(event.metadata.id),
        event_type=event.metadata.event_type,
        headers={"ce_id": str(event.metadata.id)},
        value=b"bytes",
        decode=decode or (lambda: event),
    )


def passes(number: int, course: str = COURSE, *, user: Any = None, **more: Any) -> DecodedEvent:
    """The event that a new learner passes a course."""
    who = user or user_data(id=1000 + number, username=f"learner{number}")
    known = metadata(time=more.pop("time", at(number)))
    return DecodedEvent(COURSE_PASSING_STATUS_UPDATED, known, {"course_passing_status": passing_data(who, course)})


def messages_of(events: Sequence[DecodedEvent]) -> list[Message]:
    return [message_of(event, number) for number, event in enumerate(events)]


def make_applier(
    receive: Callable[[Sequence[DecodedEvent]], Sequence[Result]] = receive, *, stop: StopRequest | None = None
) -> Applier:
    return Applier(ConsumerConfig(patience=1, max_backoff=0.01, kafka={}), stop or StopRequest(), receive=receive)


@contextmanager
def failing_for(usernames: set[str], error: BaseException) -> Iterator[None]:
    """Awarding raises for these learners."""

    def refuse(award: BadgeAward, **kwargs: object) -> None:
        if award.user.username in usernames:
            raise error

    badge_awarded.connect(refuse)
    try:
        yield
    finally:
        badge_awarded.disconnect(refuse)


@pytest.fixture
def told() -> Iterator[list[str]]:
    """The ids of the events that another app's receiver was sent."""
    ids: list[str] = []

    def listen(metadata: Any, **kwargs: object) -> None:
        ids.append(str(metadata.id))

    for signal in (COURSE_PASSING_STATUS_UPDATED, STUDENT_REGISTRATION_COMPLETED):
        signal.connect(listen)
    yield ids
    for signal in (COURSE_PASSING_STATUS_UPDATED, STUDENT_REGISTRATION_COMPLETED):
        signal.disconnect(listen)


def awarded() -> list[str]:
    return sorted(award.user.username for award in BadgeAward.objects.select_related("progress__user"))


def test_each_event_of_a_batch_has_its_own_end(told: list[str], caplog: pytest.LogCaptureFixture) -> None:
    requires_course(make_template())
    twice = passes(2)
    registered = DecodedEvent(
        STUDENT_REGISTRATION_COMPLETED, metadata(STUDENT_REGISTRATION_COMPLETED.event_type), {"user": user_data()}
    )

    def undecodable() -> DecodedEvent:
        raise Undecodable("Its event id is not a UUID")

    events = [
        passes(1, OTHER),
        twice,
        passes(3),  # poison
        registered,
        passes(4, user=user_data(id=None, username="")),
        passes(5, time=timezone.now() + timedelta(days=1)),
        passes(6),
        twice,
    ]
    messages = [*messages_of(events), message_of(passes(9), 9, undecodable)]
    with caplog.at_level(logging.INFO), failing_for({"learner3"}, ValueError("a bug")):
        results = make_applier().apply_or_store(messages)
    assert results == [True, True, False, True, True, False, True, True, False]
    assert awarded() == ["learner2", "learner6"]
    assert [row.position for row in FailedEvent.objects.order_by("id")] == ["0:2", "0:5", "0:9"]
    # Every decoded event, once and in order, also those that were stored.
    assert told == [str(event.metadata.id) for event in events]
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("badges_plugin.consumers")]
    assert len([line for line in lines if "as a failed event" in line]) == 2
    assert lines[-1].startswith("Applied 9 events in ")
    counts = "1 unmatched, 1 not received, 1 ignored, 1 deferred, 2 failed"
    assert all(count in lines[-1] for count in counts.split(", "))
    assert len([line for line in lines if str(events[0].metadata.id) in line]) == 0


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(0), DataError("too long")])
def test_one_poison_event_harms_no_neighbor(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    requires_course(make_template())
    with failing_for({"learner5"}, error):
        results = make_applier().apply_or_store(messages_of([passes(number) for number in range(8)]))
    assert results == [number != 5 for number in range(8)]
    assert awarded() == [f"learner{number}" for number in range(8) if number != 5]
    row = FailedEvent.objects.get()
    assert row.reason == f"ReceiversFailed: badges_plugin.receiving.receive < {type(error).__name__}"
    assert caplog.text.count("as a failed event") == 1


def test_what_the_hosts_code_refuses_is_found_at_once() -> None:
    requires_course(make_template())
    tried: list[int] = []

    def receive_and_count(events: Sequence[DecodedEvent]) -> Sequence[Result]:
        tried.append(len(events))
        return receive(events)

    def refuse(instance: UserCredential, **kwargs: object) -> None:
        if instance.username == "learner11":
            raise ValueError("This host issues nothing to them.")

    # Nobody can tell whose an event is whose content cannot be read.
    unreadable = DecodedEvent(COURSE_PASSING_STATUS_UPDATED, metadata(), {"course_passing_status": Unreadable()})
    events = [unreadable, *(passes(number) for number in range(20))]
    post_save.connect(refuse, sender=UserCredential)
    try:
        results = make_applier(receive_and_count).apply_or_store(messages_of(events))
    finally:
        post_save.disconnect(refuse, sender=UserCredential)
    assert results == [False, *(number != 11 for number in range(20))]
    assert tried == [21, 12, 1, 8]


def test_an_event_that_cannot_be_read_never_reaches_the_others() -> None:
    requires_course(make_template())
    unreadable = DecodedEvent(COURSE_PASSING_STATUS_UPDATED, metadata(), {"course_passing_status": Unreadable()})
    attempts: list[int] = []

    def counted(events: Sequence[DecodedEvent]) -> list[Result]:
        attempts.append(len(events))
        return receive(events)

    results = make_applier(counted).apply_or_store(messages_of([passes(1), unreadable, passes(2)]))
    assert results == [True, False, True]
    assert attempts == [3]


class Unreadable:
    @property
    def user(self) -> object:
        raise RuntimeError("a data class of another package")


def test_a_transient_error_repeats_the_whole_batch() -> None:
    requires_course(make_template())
    errors: list[Exception] = [OperationalError(1213, "Deadlock found"), OperationalError(2006, "Server has gone away")]
    sizes: list[int] = []

    def flaky(events: Sequence[DecodedEvent]) -> list[Result]:
        sizes.append(len(events))
        if errors:
            raise errors.pop()
        return receive(events)

    kept: list[str] = []
    messages = messages_of([passes(number) for number in range(4)])
    assert make_applier(flaky).apply_or_store(messages, while_waiting=lambda: kept.append("kept")) == [True] * 4
    assert (sizes, kept) == ([4, 4, 4], ["kept", "kept"])
    assert not FailedEvent.objects.exists()


def test_a_stop_in_the_middle_acknowledges_nothing_and_all_of_it_comes_again(told: list[str]) -> None:
    requires_course(make_template())
    stop, away = StopRequest(), OperationalError(2003, "Can't connect")
    stop.make()

    def half(events: Sequence[DecodedEvent]) -> list[Result]:
        if len(events) > 2:
            raise ValueError("divide it")
        if events[0].metadata.id == messages[2].decode().metadata.id:
            raise away
        return receive(events)

    messages = messages_of([passes(number) for number in range(4)])
    with pytest.raises(Stopped):
        make_applier(half, stop=stop).apply_or_store(messages)
    assert awarded() == ["learner0", "learner1"]
    assert told == []
    assert make_applier().apply_or_store(messages) == [True] * 4
    assert awarded() == [f"learner{number}" for number in range(4)]
    assert len(told) == 4


def test_what_came_before_a_schema_that_cannot_be_had_is_acknowledged_first(told: list[str]) -> None:
    requires_course(make_template())
    events = [passes(number) for number in range(3)]
    answers: list[Exception] = [DecodingUnavailable("The schema registry is unavailable")] * 3

    def decode() -> DecodedEvent:
        if answers:
            raise answers.pop()
        return events[1]

    messages = [message_of(events[0], 0), message_of(events[1], 1, decode), message_of(events[2], 2)]
    applier = make_applier()
    assert applier.apply_or_store(messages) == [True]
    assert (awarded(), len(told)) == (["learner0"], 1)
    assert applier.apply_or_store(messages[1:]) == [True, True]
    assert told == [str(event.metadata.id) for event in events]

    answers += [DecodingUnavailable("The schema registry is unavailable")] * 1000
    with pytest.raises(CannotGoOn):
        applier.apply_or_store(messages[1:])


def test_events_of_one_learner_keep_their_order_however_the_batch_is_divided() -> None:
    seen: list[int] = []

    def poisoned(events: Sequence[DecodedEvent]) -> list[Result]:
        numbers = [event.metadata.time.minute for event in events]
        if 3 in numbers:
            raise ValueError("a bug")
        seen.extend(numbers)
        return [None] * len(events)

    who = user_data(id=77, username="ada")
    make_applier(poisoned).apply_or_store(
        messages_of([passes(number, user=who, time=at(number)) for number in range(9)])
    )
    assert seen == [0, 1, 2, 4, 5, 6, 7, 8]


def test_many_failures_are_stored_with_few_statements() -> None:
    failed = [Handled(message, result=Undecodable("junk")) for message in messages_of(list(map(passes, range(100))))]
    with CaptureQueriesContext(connection) as queries:
        storing.store_all(failed)
    assert FailedEvent.objects.count() == 100
    assert len(queries) <= 6


def test_failures_that_come_again_with_new_ones_count_as_attempts_and_are_reopened() -> None:
    messages = messages_of([passes(number) for number in range(3)])
    failed = [Handled(message, message.decode(), ValueError("a bug")) for message in messages]
    storing.store_all(failed[:2])
    FailedEvent.objects.update(state=FailedEvent.State.DISMISSED)
    storing.store_all([*failed, failed[2]])  # a batch may contain a message twice
    rows = FailedEvent.objects.order_by("position").values_list("position", "attempts", "state")
    assert list(rows) == [("0:0", 2, "failed"), ("0:1", 2, "failed"), ("0:2", 1, "failed")]


def test_huge_failures_do_not_share_a_statement() -> None:
    events = [passes(number) for number in range(4)]
    messages = messages_of(events)
    huge = b"x" * (storing.MAX_VALUE_BYTES // 2)
    failed = [Handled(with_value(message, huge), result=Undecodable("junk")) for message in messages]
    with CaptureQueriesContext(connection) as queries:
        storing.store_all(failed)
    assert FailedEvent.objects.count() == 4
    inserts = [query["sql"] for query in queries if "INSERT" in query["sql"]]
    assert len(inserts) == 4


def with_value(message: Message, value: bytes) -> Message:
    return replace(message, value=value)


def test_one_that_cannot_be_stored_ends_the_consumer_and_the_others_are_stored() -> None:
    def refuse(execute: Callable[..., object], sql: str, params: Any, *arguments: object) -> object:
        if "INSERT" in sql and "failedevent" in sql and any(each == "0:1" for each in params):
            raise DataError("Incorrect string value")
        return execute(sql, params, *arguments)

    def poison(events: Sequence[DecodedEvent]) -> list[Result]:
        raise ValueError("a bug")

    with connection.execute_wrapper(refuse), pytest.raises(CannotGoOn, match="ValueError and cannot be stored"):
        make_applier(poison).apply_or_store(messages_of([passes(number) for number in range(3)]))
    assert FailedEvent.objects.filter(position="0:0").count() == 1


def test_no_message_is_no_batch(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert make_applier().apply_or_store([]) == []
    assert caplog.text == ""


def test_batches_begin_small_and_grow() -> None:
    applier = make_applier()
    sizes = []
    for number in range(3):
        sizes.append(applier.batch_size)
        applier.apply_or_store(messages_of([passes(number)]))
    assert sizes == [1, 2, 4]


def test_the_batch_after_one_with_a_poison_event_is_smaller() -> None:
    def poisoned(events: Sequence[DecodedEvent]) -> list[Result]:
        if any(event.metadata.time.minute == 30 for event in events):
            raise ValueError("a bug")
        return [None] * len(events)

    applier = make_applier(poisoned)
    sizes = []
    for minute in (*range(10), 30, *range(3)):
        sizes.append(applier.batch_size)
        applier.apply_or_store(messages_of([passes(number, time=at(minute)) for number in range(100)]))
    assert sizes[9:] == [150, 150, 50, 100, 150]
