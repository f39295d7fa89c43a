"""Apply a batch whatever some of its events do: divide it until each event that fails is alone. Pure.

Where an error tells which event it is about, that one is taken out at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

EventT = TypeVar("EventT")
ResultT = TypeVar("ResultT")

# From this share of failures on, halving costs more attempts than applying one by one.
MANY = 1 / 4


@dataclass(frozen=True)
class _Part(Generic[EventT]):
    """Consecutive events of a batch.

    ``fails_after``: they are known to fail as a whole if no more than this number of failures was found before them.
    """

    events: Sequence[EventT]
    fails_after: int = -1

    def around(self, number: int) -> tuple[_Part[EventT], ...]:
        """Return the events before the one at ``number``, this one, and those after it."""
        parts = self.events[:number], self.events[number : number + 1], self.events[number + 1 :]
        return tuple(_Part(events) for events in parts if events)

    def halves(self, first: int, failures: int) -> tuple[_Part[EventT], _Part[EventT]]:
        """Return the first events and the rest of a part that fails: if the former do not, the latter do."""
        return _Part(self.events[:first]), _Part(self.events[first:], failures)


def apply_divided(
    events: Sequence[EventT],
    apply: Callable[[Sequence[EventT]], Sequence[ResultT]],
    *,
    let_through: tuple[type[Exception], ...] = (),
    suspect: Callable[[Exception, Sequence[EventT]], int | None] = lambda error, events: None,
) -> list[ResultT | Exception]:
    """Return, for each event, its result from ``apply``, or the exception that ``apply`` raised for this event alone.

    ``apply`` takes consecutive events, in order; it may be called again with the same ones, or with some of them, if it
    raised. Exceptions of the types ``let_through`` are raised here. ``suspect`` returns the place of the event that an
    exception is about, if it knows; it may be wrong.
    """
    results: list[ResultT | Exception] = []
    failures = 0
    waiting = [_Part(events)] if events else []
    while waiting:
        part = waiting.pop()
        count = len(part.events)
        is_many = failures > 1 and failures >= MANY * len(results)
        if count > 1 and (is_many or part.fails_after == failures):
            known = failures if part.fails_after == failures else -1
            waiting.extend(reversed(part.halves(1 if is_many else count // 2, known)))
            continue
        try:
            results.extend(apply(part.events))
        except let_through:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the error, the other events are applied
            if count > 1:
                number = suspect(error, part.events)
                parts = part.halves(count // 2, failures) if number is None else part.around(number)
                waiting.extend(reversed(parts))
            else:
                failures += 1
                results.append(error)
    return results
