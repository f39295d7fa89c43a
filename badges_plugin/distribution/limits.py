"""How fast one process may ask a provider."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ends: ContextVar[float | None] = ContextVar("_ends", default=None)
_is_withdrawn: ContextVar[Callable[[], bool]] = ContextVar("_is_withdrawn", default=lambda: False)


@contextmanager
def until(instant: float, *, unless: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Inside the block no request waits for its turn beyond the instant, on the clock of `time.monotonic()`.

    And none gets a turn any more once `unless` says so.
    """
    token, condition = _ends.set(instant), _is_withdrawn.set(unless)
    try:
        yield
    finally:
        _ends.reset(token)
        _is_withdrawn.reset(condition)


class RateLimiter:
    """Lets calls pass at an even pace, `per_minute` of them, after a burst of at most one second's worth.

    For one process: with several workers, divide the provider's limit among them. What slips through is answered
    with 429, which makes the whole account rest in all of them.
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
        """Return when the next call may be made: True.

        Or False, at once, when that is in more than `at_most` seconds or, inside a block of `until`, after its end; and
        when it was withdrawn meanwhile.
        """
        ends = _ends.get()
        with self._lock:
            now = self._clock()
            # Time that was not used counts, but never more than one burst of it.
            turn = max(self._next, now - self._burst) + self._gap
            if turn >= (now + at_most if ends is None else ends):
                return False
            self._next = turn
            pause = turn - now
        if pause > 0:
            self._sleep(pause)
        return not _is_withdrawn.get()()
