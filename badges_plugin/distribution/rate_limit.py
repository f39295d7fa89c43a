"""Limit the pace of requests to a provider, and the time until which they may begin."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

# Seconds between two checks, while waiting for a turn, whether the process is to stop.
_SLICE = 0.2
# Seconds after which a process that made no request counts as idle.
_BUSY_SECONDS = 1.0
# Of the sums of floating-point numbers.
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class _Curfew:
    ends: float
    is_stopping: Callable[[], bool] | None


_curfew: ContextVar[_Curfew | None] = ContextVar("_curfew", default=None)


@contextmanager
def until(instant: float, *, unless: Callable[[], bool] | None = None) -> Iterator[None]:
    """Inside the block no request begins, or waits for its turn, after the instant or once ``unless`` returns true.

    The instant is on the clock of ``time.monotonic()``. A request that has begun is not interrupted: it has a deadline
    of its own.
    """
    token = _curfew.set(_Curfew(instant, unless))
    try:
        yield
    finally:
        _curfew.reset(token)


def may_begin() -> bool:
    """Whether another request may begin now; outside a block of ``until``, always."""
    curfew = _curfew.get()
    if curfew is None:
        return True
    return time.monotonic() < curfew.ends and not (curfew.is_stopping and curfew.is_stopping())


class RateLimiter:
    """Let calls pass at an even pace, ``per_minute`` of them, after a burst of at most one second's worth.

    By itself for one process. ``reserve`` makes processes share the pace (see ``shared_limiter``): it reserves so many
    seconds for this process alone, and returns in how many seconds they begin. Then there are no bursts. Whoever
    exceeds a provider's limit all the same gets a 429, which makes the account rest in all workers.
    """

    def __init__(
        self,
        per_minute: float,
        *,
        reserve: Callable[[float], float] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if per_minute <= 0:
            raise ValueError("A rate limit must be above 0.")
        self._gap = 60.0 / per_minute
        self._burst = max(1.0, per_minute / 60.0) * self._gap
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        # The latest turn that was given.
        self._next = float("-inf")
        self._reserve = reserve
        self._turns = 1
        self._begins = self._ends = float("-inf")

    def wait(self, *, at_most: float = float("inf")) -> bool:
        """Wait until the next call may be made, and return True.

        Return False at once when that is in more than ``at_most`` seconds or, inside a block of ``until``, after its
        end; return False also when the call was withdrawn meanwhile.
        """
        curfew = _curfew.get()
        with self._lock:
            turn = self._turn() if self._reserve is None else self._reserved_turn(self._reserve)
            now = self._clock()
            if turn >= (now + at_most if curfew is None else curfew.ends):
                return False
            self._next = turn
            pause = turn - now
        if pause > 0:
            return self._pause(pause, curfew.is_stopping if curfew else None)
        return True

    def _turn(self) -> float:
        # Unused time counts, but never more than one burst of it.
        return max(self._next, self._clock() - self._burst) + self._gap

    def _reserved_turn(self, reserve: Callable[[float], float]) -> float:
        """Return the next turn in the time that is reserved for this process; reserve more if there is none.

        A process that goes on asking reserves twice as much each time, up to one second's worth, so that a busy one
        rarely asks and another one never waits long for what nobody uses.
        """
        now = self._clock()
        turn = max(self._next + self._gap, self._begins, now)
        if turn + self._gap <= self._ends + _TOLERANCE:
            return turn
        is_busy = now < self._ends + _BUSY_SECONDS
        self._turns = min(2 * self._turns, max(1, int(1.0 / self._gap))) if is_busy else 1
        seconds = self._turns * self._gap
        wait = reserve(seconds)
        self._begins = self._clock() + wait
        self._ends = self._begins + seconds
        return self._begins

    def _pause(self, seconds: float, is_stopping: Callable[[], bool] | None) -> bool:
        """Sleep; return False when the process is to stop meanwhile."""
        if is_stopping is None:
            self._sleep(seconds)
            return True
        ends = self._clock() + seconds
        while (left := ends - self._clock()) > 0:
            if is_stopping():
                return False
            self._sleep(min(left, _SLICE))
        return True
