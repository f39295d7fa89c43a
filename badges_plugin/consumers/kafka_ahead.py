"""Take and decode the next events while the database works on those before them.

In a burst the processor would only wait for the database meanwhile. But one thread of Python computes at a time:
decoding goes on only while the consumer waits, or both would take turns, which takes longer than one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from threading import Event
from typing import Any, Self

from confluent_kafka import Message as KafkaMessage
from django.db import connection

from badges_plugin import dispatch
from badges_plugin.consumers.exceptions import CannotGoOn, DecodingUnavailable
from badges_plugin.consumers.kafka_batches import Batches
from badges_plugin.consumers.kafka_messages import message_from
from badges_plugin.consumers.message import DecodedEvent, Message
from badges_plugin.switching import quick_switches

Pairs = list[tuple[KafkaMessage, Message]]
"""What the client gave, and what is applied."""

SWITCH_SECONDS = 0.00005
"""How long the consumer waits for the thread after an answer of the database: half as long as an event is decoded."""


class Ahead:
    """Takes batches. While one is applied, the next one is decoded in a thread, if it is there already."""

    def __init__(self, batches: Batches, group: str) -> None:
        self._batches = batches
        self._group = group
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="decoding")
        self._next: _Decoding | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(quick_switches(SWITCH_SECONDS))
        self._stack.enter_context(connection.execute_wrapper(self._decode_meanwhile))
        return self

    def __exit__(self, *error: object) -> None:
        with self._stack:
            # What was taken but not applied is delivered again.
            if self._next is not None:
                self._next.drop()
            self._thread.shutdown()

    def take(self, size: int) -> Pairs:
        """Return the next batch; see ``Batches.take``. It may have more events than ``size`` if that has shrunk.

        Some of its events are decoded. A message is decoded again where that failed.
        """
        if self._next is None:
            received = self._batches.take(size)
            current = [(each, message_from(each, self._group)) for each in received]
        else:
            current, self._next = self._next.end(), None
        # A batch that is not full is the last one for the moment.
        if len(current) >= size:
            if received := self._batches.take(size, waits=False):
                self._next = _Decoding(received, self._group, self._thread)
            # Meanwhile others may have been given some of the partitions, and so these events.
            current = [pair for pair in current if pair[0].partition() not in self._batches.given_back]
        return current

    def _decode_meanwhile(self, execute: Callable[..., Any], *statement: Any) -> Any:
        """Execute a statement of the consumer, and decode while the database works on it."""
        decoding = self._next
        if decoding is None:
            return execute(*statement)
        decoding.may_go_on.set()
        try:
            return execute(*statement)
        finally:
            decoding.may_go_on.clear()


class _Decoding:
    """Events that are being decoded, one after another, while it may go on."""

    def __init__(self, received: Sequence[KafkaMessage], group: str, thread: ThreadPoolExecutor) -> None:
        self.may_go_on = Event()
        self._received = received
        self._group = group
        self._pairs: Pairs = []
        self._is_over = False
        self._work = thread.submit(self._decode)

    def drop(self) -> None:
        """Decode no more."""
        self._is_over = True
        self.may_go_on.set()

    def end(self) -> Pairs:
        """Decode no more, and return all events; whoever applies them decodes those that are left."""
        self.drop()
        self._work.result()
        left = self._received[len(self._pairs) :]
        return [*self._pairs, *[(each, message_from(each, self._group)) for each in left]]

    def _decode(self) -> None:
        """Decode events. Those that cannot be are left as they are: whoever applies them tries again, waits or stores.

        While the schema registry is unavailable, only one request is made.
        """
        for each in self._received:
            self.may_go_on.wait()
            if self._is_over:
                break
            message = message_from(each, self._group)
            try:
                event = message.decode()
                if dispatch.is_connected(event.signal):
                    _ = event.read  # kept with it
                message = replace(message, decode=_Known(event))
            except (CannotGoOn, DecodingUnavailable):
                break
            except Exception:  # noqa: BLE001, S110 - it is found again, and reported, where the event is applied
                pass
            self._pairs.append((each, message))


class _Known:
    """Stands in for decoding an event once more."""

    def __init__(self, event: DecodedEvent) -> None:
        self._event = event

    def __call__(self) -> DecodedEvent:
        return self._event
