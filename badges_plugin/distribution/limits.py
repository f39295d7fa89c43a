"""How fast one process may ask a provider."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


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

    def wait(self) -> None:
        """Return when the next call may be made."""
        with self._lock:
            now = self._clock()
            # Time that was not used counts, but never more than one burst of it.
            self._next = max(self._next, now - self._burst) + self._gap
            pause = self._next - now
        if pause > 0:
            self._sleep(pause)
