"""Decide how many events a batch may have, so that no batch takes long."""

from __future__ import annotations

BATCH_SECONDS = 5.0
"""How long a batch should take at most. A stop signal waits for a batch, and so do the broker's timeouts."""


class BatchSize:
    """The number of events to take next: at first 1, then up to twice as many each time, up to a maximum.

    Where other apps' receivers or the database are slow, it is what they manage in ``BATCH_SECONDS``.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self.current = 1

    def took(self, events: int, seconds: float) -> None:
        """Note how long a batch of so many events took."""
        at_this_rate = self._maximum if seconds <= 0 else int(BATCH_SECONDS / seconds * events)
        self.current = max(1, min(self._maximum, self.current * 2, at_this_rate))
