"""Limit the pace of one process's requests to a provider, and the time until which they may begin."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

# Seconds between two checks, while waiting for a turn, whether the process is to stop.
_SLICE = 0.2


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

    For one process: with several workers, divide the provider's limit among them. Whoever exceeds it gets a 429, which
    makes the account rest in all workers.
    """

    def __init__(
        self,
        per_minute: float,
        *,
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
        self._next = float("-inf")

    def wait(self, *, at_most: float = float("inf")) -> bool:
        """Wait until the next call may be made, and return True.

        Return False at once when that is in more than ``at_most`` seconds or, inside a block of ``until``, after its
        end; return False also when the call was withdrawn meanwhile.
        """
        curfew = _curfew.get()
        with self._lock:
            now = self._clock()
            # Unused time counts, but never more than one burst of it.
            turn = max(self._next, now - self._burst) + self._gap
            if turn >= (now + at_most if curfew is None else curfew.ends):
                return False
            self._next = turn
            pause = turn - now
        if pause > 0:
            return self._pause(pause, curfew.is_stopping if curfew else None)
        return True

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
