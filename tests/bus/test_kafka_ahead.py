"""The next batch is decoded while one is applied: each event once and in order, and none that is given back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

from badges_plugin.consumers import kafka_ahead
from badges_plugin.consumers.exceptions import DecodingUnavailable, Undecodable
from badges_plugin.consumers.kafka_ahead import Ahead, Pairs
from badges_plugin.consumers.kafka_batches import Batches
from badges_plugin.consumers.message import DecodedEvent, Message
from sandbox.drills.stage import wait_until
from tests.bus.test_kafka_batches import Client, Received, batches_of

SIZE = 3


class Decoder:
    """Decodes messages by their offset; ``broken`` ones raise what they are broken by. Counts what it was asked for."""

    def __init__(self) -> None:
        self.broken: dict[int, Exception] = {}
        self.asked: list[int] = []

    def message_from(self, received: Received, group: str) -> Message:
        def decode() -> DecodedEvent:
            self.asked.append(received.offset())
            if error := self.broken.get(received.offset()):
                raise error
            return DecodedEvent(COURSE_PASSING_STATUS_UPDATED, None, {"offset": received.offset()})

        position = f"{received.partition()}:{received.offset()}"
        return Message("kafka", "topic", group, position, "", "", {}, b"", decode)


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Decoder:
    decoder = Decoder()
    monkeypatch.setattr(kafka_ahead, "message_from", decoder.message_from)
    return decoder


@contextmanager
def reading(*messages: Received) -> Iterator[tuple[Client, Batches, Ahead]]:
    client = Client(*messages)
    batches = batches_of(client)
    with Ahead(batches, "credentials") as ahead:
        yield client, batches, ahead


def offsets(batch: Pairs) -> list[int | None]:
    return [received.offset() for received, _ in batch]


def decoded(batch: Pairs) -> list[object]:
    return [message.decode().data["offset"] for _, message in batch]


def execute(result: Callable[[], object]) -> object:
    """Execute a statement of the consumer's thread, which ends when there is a result."""
    *_, wrapper = connection.execute_wrappers
    return wrapper(lambda *_: result(), "SELECT 1", None, False, {})


def until(condition: Callable[[], bool]) -> bool:
    wait_until(condition, "it is decoded", timeout=10)
    return True


def test_batches_come_in_order_and_each_event_once(decoder: Decoder) -> None:
    with reading(*(Received(0, number) for number in range(8))) as (client, _, ahead):
        assert [offsets(ahead.take(SIZE)) for _ in range(4)] == [[0, 1, 2], [3, 4, 5], [6, 7], []]
    # It waits for an event only when it has nothing else to do.
    assert [wait for wait in client.waits if wait != 0.01] == [1, 0, 0, 1]


def test_what_follows_a_full_batch_is_decoded_while_the_database_works(decoder: Decoder) -> None:
    with reading(*(Received(0, number) for number in range(5))) as (_, _, ahead):
        first = ahead.take(SIZE)
        assert execute(lambda: until(lambda: decoder.asked == [3, 4]))
        second = ahead.take(SIZE)
        assert decoded([*first, *second]) == [0, 1, 2, 3, 4]
    assert decoder.asked == [3, 4, 0, 1, 2]
    assert all("read" in vars(message.decode()) for _, message in second)


def test_what_is_not_decoded_by_then_is_decoded_where_it_is_applied(decoder: Decoder) -> None:
    with reading(*(Received(0, number) for number in range(6))) as (_, _, ahead):
        ahead.take(SIZE)
        assert execute(lambda: until(lambda: bool(decoder.asked)))
        second = ahead.take(SIZE)
        assert decoded(second) == [3, 4, 5]
    assert sorted(decoder.asked) == [3, 4, 5]


def test_nothing_is_decoded_while_the_consumer_computes(decoder: Decoder) -> None:
    with reading(*(Received(0, number) for number in range(9))) as (_, _, ahead):
        taken = [*ahead.take(SIZE), *ahead.take(SIZE)]
        assert not decoder.asked
        assert decoded(taken) == [0, 1, 2, 3, 4, 5]


def test_a_statement_ends_as_it_would_without_it(decoder: Decoder) -> None:
    def fail() -> object:
        raise LookupError("no")

    before = list(connection.execute_wrappers)
    with reading(*(Received(0, number) for number in range(6))) as (_, _, ahead):
        for _ in range(2):
            assert execute(lambda: "result") == "result"
            with pytest.raises(LookupError, match="no"):
                execute(fail)
            ahead.take(SIZE)
    assert connection.execute_wrappers == before


def test_threads_switch_soon_only_while_a_consumer_runs(decoder: Decoder) -> None:
    before = sys.getswitchinterval()
    with reading():
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == pytest.approx(before)


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (Undecodable("It has no event id"), [3, 4, 5]),
        # The others would be asked for in vain.
        (DecodingUnavailable("The schema registry is unavailable"), [3]),
    ],
)
def test_what_cannot_be_decoded_ahead_fails_where_it_is_applied(
    decoder: Decoder, error: Exception, asked: list[int]
) -> None:
    decoder.broken = {3: error}
    with reading(*(Received(0, number) for number in range(6))) as (_, _, ahead):
        ahead.take(SIZE)
        execute(lambda: until(lambda: decoder.asked == asked))
        second = ahead.take(SIZE)
    with pytest.raises(type(error)):
        decoded(second)
    decoder.broken.clear()
    assert decoded(second) == [3, 4, 5]


def test_events_of_a_partition_that_is_given_back_meanwhile_are_left_to_its_new_consumer(decoder: Decoder) -> None:
    events = [Received(0, 10), Received(1, 20), Received(0, 11), Received(1, 21), Received(1, 22)]
    with reading(*events) as (client, batches, ahead):
        client.meanwhile = lambda: batches.give_back([0]) if len(client.messages) < SIZE - 1 else None
        assert offsets(ahead.take(SIZE)) == [20]
        assert offsets(ahead.take(SIZE)) == [21, 22]
