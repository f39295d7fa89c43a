"""Show the progress of a command on one line, with its rate and the time left."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Protocol, TypeVar

EVERY_SECONDS = 5.0
EVERY_SECONDS_ON_A_TERMINAL = 0.2
RATE_SECONDS = 20.0
"""The rate is that of the last seconds: what was applied before goes by much more quickly than what is new."""
WIDTH = 30

ItemT = TypeVar("ItemT")


class Output(Protocol):
    """The error output of Django's commands: progress is not a part of the report."""

    def write(self, msg: str, style_func: Callable[[str], str], ending: str | None = None) -> object:
        """Write ``msg``, followed by a newline unless another ending is given."""

    def isatty(self) -> bool:
        """Whether this is a terminal."""


class Progress:
    """A bar on a terminal; elsewhere a line every few seconds, and one at the end."""

    def __init__(
        self, output: Output, what: str, total: int | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``total`` is the number of items or, if only that is known, the size of what they are read from; or None."""
        self._output = output
        self._what = what
        self._total = total
        self._clock = clock
        self._started = clock()
        self._is_terminal = output.isatty()
        self._pause = EVERY_SECONDS_ON_A_TERMINAL if self._is_terminal else EVERY_SECONDS
        self._next = self._started + (0.0 if self._is_terminal else EVERY_SECONDS)
        self._done = 0
        self._position: int | None = None
        self._recent = deque([(self._started, 0, 0)])

    def to(self, done: int, *, position: int | None = None) -> None:
        """Set the number of finished items, and how much of ``total`` they are if that is a size."""
        self._done, self._position = done, position
        now = self._clock()
        if now >= self._next:
            self._next = now + self._pause
            self._note(now)
            self._show(now, ending="" if self._is_terminal else None)

    def over(self, items: Iterable[ItemT]) -> Iterator[ItemT]:
        """Yield the items and count them."""
        for number, item in enumerate(items, 1):
            yield item
            self.to(number)
        self.finish()

    def finish(self) -> None:
        """Show the final count, and the rate over all of the time."""
        now = self._clock()
        seconds = max(now - self._started, 0.001)
        self._write(f"{self._counted()}, {self._done / seconds:.0f}/s in {_clock_time(seconds)}", ending=None)

    def _note(self, now: float) -> None:
        self._recent.append((now, self._done, self._reached))
        while len(self._recent) > 2 and self._recent[1][0] <= now - RATE_SECONDS:
            self._recent.popleft()

    @property
    def _reached(self) -> int:
        return self._done if self._position is None else self._position

    def _show(self, now: float, *, ending: str | None) -> None:
        since, done, reached = self._recent[0]
        seconds = max(now - since, 0.001)
        left = ""
        if self._total is not None and self._reached > reached:
            seconds_left = max(self._total - self._reached, 0) / (self._reached - reached) * seconds
            left = f", {_clock_time(seconds_left)} left"
        self._write(f"{self._counted()}, {(self._done - done) / seconds:.0f}/s{left}", ending=ending)

    def _counted(self) -> str:
        if self._total is None:
            return f"{self._what}: {self._done}"
        part = min(self._reached / self._total, 1.0) if self._total else 1.0
        of = f" of {self._total}" if self._position is None else ""
        bar = f"[{'#' * round(part * WIDTH):<{WIDTH}}] " if self._is_terminal else ""
        return f"{bar}{self._what}: {self._done}{of} ({part:.0%})"

    def _write(self, line: str, *, ending: str | None) -> None:
        # The rest of a longer line that was there before is erased.
        self._output.write(f"\r{line}\x1b[K" if self._is_terminal else line, style_func=str, ending=ending)


def _clock_time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
