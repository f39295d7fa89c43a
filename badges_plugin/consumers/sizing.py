"""Decide how many events a batch may have, so that no batch takes long."""

from __future__ import annotations

BATCH_SECONDS = 5.0
"""How long a batch should take at most. A stop signal waits for a batch, and so do the broker's timeouts."""

LEAST_PART = 1 / 4
"""Failing events make batches no smaller than this part of the maximum: every batch has a commit."""


class BatchSize:
    """The number of events to take next: at first 1, then up to twice as many each time, up to a maximum.

    Where other apps' receivers or the database are slow, it is what they manage in ``BATCH_SECONDS``. After a batch
    that had to be divided, because an event failed, the next one is smaller: what is applied again is less then.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self.current = 1

    def took(self, events: int, seconds: float, *, was_divided: bool = False) -> None:
        """Note how long a batch of so many events took."""
        at_this_rate = self._maximum if seconds <= 0 else int(BATCH_SECONDS / seconds * events)
        limit = max(events // 2, int(self._maximum * LEAST_PART)) if was_divided else self._maximum
        self.current = max(1, min(limit, self.current * 2, at_this_rate))
