"""Take and decode the next events while the database works on those before them.

In a burst the processor would only wait for the database meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Self

from confluent_kafka import Message as KafkaMessage

from badges_plugin.consumers.exceptions import CannotGoOn, DecodingUnavailable
from badges_plugin.consumers.kafka_batches import Batches
from badges_plugin.consumers.kafka_messages import message_from
from badges_plugin.consumers.message import DecodedEvent, Message

Pairs = list[tuple[KafkaMessage, Message]]
"""What the client gave, and what is applied."""


class Ahead:
    """Takes batches. While one is applied, the next one is decoded in a thread, if it is there already."""

    def __init__(self, batches: Batches, group: str) -> None:
        self._batches = batches
        self._group = group
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="decoding")
        self._next: Future[Pairs] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        # What was taken but not applied is delivered again.
        self._thread.shutdown()

    def take(self, size: int) -> Pairs:
        """Return the next batch; see ``Batches.take``. It may have more events than ``size`` if that has shrunk."""
        if self._next is None:
            received = self._batches.take(size)
            current = [(each, message_from(each, self._group)) for each in received]
        else:
            current, self._next = self._next.result(), None
        # A batch that is not full is the last one for the moment.
        if len(current) >= size:
            if received := self._batches.take(size, waits=False):
                self._next = self._thread.submit(_decoded, received, self._group)
            # Meanwhile others may have been given some of the partitions, and so these events.
            current = [pair for pair in current if pair[0].partition() not in self._batches.given_back]
        return current


def _decoded(received: Sequence[KafkaMessage], group: str) -> Pairs:
    """Decode events. Those that cannot be are left as they are: whoever applies them tries again, and waits or stores.

    While the schema registry is unavailable, only one request is made.
    """
    pairs = [(each, message_from(each, group)) for each in received]
    for number, (each, message) in enumerate(pairs):
        try:
            event = message.decode()
        except (CannotGoOn, DecodingUnavailable):
            break
        except Exception:  # noqa: BLE001, S112 - it is found again, and reported, where the event is applied
            continue
        pairs[number] = each, replace(message, decode=_Known(event))
    return pairs


class _Known:
    """Stands in for decoding an event once more."""

    def __init__(self, event: DecodedEvent) -> None:
        self._event = event

    def __call__(self) -> DecodedEvent:
        return self._event
