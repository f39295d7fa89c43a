"""Show the progress of a command on one line."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

EVERY_SECONDS = 5.0
EVERY_SECONDS_ON_A_TERMINAL = 0.2
WIDTH = 30

ItemT = TypeVar("ItemT")


class Output(Protocol):
    """The output of Django's commands."""

    def write(self, msg: str, *, ending: str | None = None) -> None:
        """Write ``msg``, followed by a newline unless another ending is given."""

    def isatty(self) -> bool:
        """Whether this is a terminal."""


class Progress:
    """A bar on a terminal; elsewhere a line every few seconds, and one at the end."""

    def __init__(self, output: Output, what: str, total: int) -> None:
        self._output = output
        self._what = what
        self._total = total
        self._started = time.monotonic()
        self._is_terminal = output.isatty()
        self._next = 0.0 if self._is_terminal else self._started + EVERY_SECONDS
        self._done = 0

    def to(self, done: int) -> None:
        """Set the number of finished items."""
        self._done = done
        now = time.monotonic()
        if now >= self._next:
            self._next = now + (EVERY_SECONDS_ON_A_TERMINAL if self._is_terminal else EVERY_SECONDS)
            self._show(ending="" if self._is_terminal else None)

    def over(self, items: Iterable[ItemT]) -> Iterator[ItemT]:
        """Yield the items and count them."""
        for number, item in enumerate(items, 1):
            yield item
            self.to(number)
        self.finish()

    def finish(self) -> None:
        """Show the final count."""
        self._show(ending=None)

    def _show(self, *, ending: str | None) -> None:
        seconds = max(time.monotonic() - self._started, 0.001)
        part = min(self._done / self._total, 1.0) if self._total else 1.0
        bar = f"\r[{'#' * round(part * WIDTH):<{WIDTH}}] " if self._is_terminal else ""
        self._output.write(
            f"{bar}{self._what}: {self._done} of {self._total} ({part:.0%}), {self._done / seconds:.0f}/s",
            ending=ending,
        )
