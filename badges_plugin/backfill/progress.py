"""One line that says how far a command is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

EVERY_SECONDS = 5.0
EVERY_SECONDS_ON_A_TERMINAL = 0.2
WIDTH = 30

ItemT = TypeVar("ItemT")


class Output(Protocol):
    """What Django's commands write to."""

    def write(self, msg: str, *, ending: str | None = None) -> None:
        """Write ``msg``, and a newline unless there is another ending."""

    def isatty(self) -> bool:
        """Whether somebody is watching."""


class Progress:
    """A bar on a terminal; elsewhere a line now and then, and one at the end."""

    def __init__(self, output: Output, what: str, total: int) -> None:
        self._output = output
        self._what = what
        self._total = total
        self._started = time.monotonic()
        self._is_terminal = output.isatty()
        self._next = 0.0 if self._is_terminal else self._started + EVERY_SECONDS
        self._done = 0

    def to(self, done: int) -> None:
        """Say that so many are done."""
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
        """Show how it ended."""
        self._show(ending=None)

    def _show(self, *, ending: str | None) -> None:
        seconds = max(time.monotonic() - self._started, 0.001)
        part = min(self._done / self._total, 1.0) if self._total else 1.0
        bar = f"\r[{'#' * round(part * WIDTH):<{WIDTH}}] " if self._is_terminal else ""
        self._output.write(
            f"{bar}{self._what}: {self._done} of {self._total} ({part:.0%}), {self._done / seconds:.0f}/s",
            ending=ending,
        )
