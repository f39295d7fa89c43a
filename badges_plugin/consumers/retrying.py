"""Retry an operation while it fails with transient errors, up to a limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from badges_plugin import heartbeat
from badges_plugin.consumers.exceptions import CannotGoOn, Stopped
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe

logger = get_logger(__name__)

Result = TypeVar("Result")

FIRST_PAUSE_SECONDS = 0.5
# How long a stop signal may go unnoticed during a pause.
SLICE_SECONDS = 0.2


def pauses(longest: float) -> Iterator[float]:
    """Yield the seconds to wait before each new attempt, doubling up to ``longest``, without end.

    The first is 0: usually the connection was stale, and a new one works.
    """
    yield 0.0
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield min(pause, longest)
        pause = min(pause * 2, longest)


@dataclass
class Patience:
    """The seconds for which operations that share it may still wait and repeat, together."""

    left: float


@dataclass(frozen=True)
class Retrying:
    """Repeats an operation while it fails with transient errors.

    ``is_transient`` decides about an exception; ``refresh`` is called before each new attempt to close broken
    connections. ``stop`` is polled during pauses.
    """

    limit: float
    max_pause: float
    is_transient: Callable[[BaseException], bool]
    refresh: Callable[[], None]
    stop: Callable[[], bool]
    sleep: Callable[[float], None] = field(default=time.sleep)
    clock: Callable[[], float] = field(default=time.monotonic)

    def run(
        self,
        operation: Callable[[], Result],
        what: str,
        *,
        while_waiting: Callable[[], None],
        patience: Patience | None = None,
    ) -> Result:
        """Return ``operation()``; ``what`` names it in the log.

        ``while_waiting`` is called after each pause, to keep a claim on the message alive. Raises CannotGoOn after
        ``limit`` seconds, Stopped when the process is asked to stop, and any exception that is not transient.
        With ``patience``, the limit is what is left of it; an operation that succeeds at once takes nothing.
        """
        patience = patience or Patience(self.limit)
        deadline = self.clock() + patience.left
        for attempt, pause in enumerate(pauses(self.max_pause), start=1):
            try:
                return operation()
            except Exception as error:
                if not self.is_transient(error):
                    raise
                if self.clock() + pause > deadline:
                    raise CannotGoOn(f"{what}: gave up after {self.limit:g} s, {describe(error)}") from error
                logger.warning(
                    "%s: attempt %d failed with %s, next one in %.1f s", what, attempt, describe(error), pause
                )
            finally:
                if attempt > 1:
                    patience.left = max(deadline - self.clock(), 0.0)
            self._pause(pause, what)
            while_waiting()
            self.refresh()
        raise AssertionError("pauses() has no end")

    def _pause(self, seconds: float, what: str) -> None:
        until = self.clock() + seconds
        while True:
            heartbeat.beat()
            if self.stop():
                raise Stopped(f"{what}: asked to stop while waiting")
            left = until - self.clock()
            if left <= 0:
                return
            self.sleep(min(left, SLICE_SECONDS))
