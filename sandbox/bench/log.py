"""Read in a consumer's log when it had applied how many events. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

# "Applied 100 events in 60 ms: ..." at the end of a batch.
_APPLIED = re.compile(r"^(\S+ \S+) INFO badges_plugin\.\S+: Applied (?:(\d+) events in )?", re.MULTILINE)
_STORED = re.compile(r"^\S+ \S+ \w+ badges_plugin\.\S+: Stored ", re.MULTILINE)


Turn = tuple[datetime, datetime]
"""When a consumer was let run, and when it was stopped."""


@dataclass(frozen=True)
class Progress:
    """When events were handled: the end of each batch, and how many there were in it. ``stored``: how many failed."""

    batches: list[tuple[datetime, int]]
    stored: int

    @property
    def handled(self) -> int:
        return sum(count for _, count in self.batches)

    @property
    def rate(self) -> float:
        """Return the events in a second between the ends of the first and of the last batch.

        What comes before is the start, and what the first batch compiles and connects. Raises RuntimeError when there
        was one batch only.
        """
        return self.rate_in([(self.batches[0][0], self.batches[-1][0])])

    def rate_in(self, turns: Sequence[Turn]) -> float:
        """Return the same for a consumer that was stopped between its turns, from the first turn to the last one."""
        begin, end = turns[0][0], turns[-1][1]
        ended = [(_seconds_until(when, turns), count) for when, count in self.batches if begin <= when <= end]
        seconds = ended[-1][0] - ended[0][0] if ended else 0
        if not seconds:
            raise RuntimeError("Everything was applied in one batch: there is nothing to measure.")
        return sum(count for _, count in ended[1:]) / seconds


def _seconds_until(moment: datetime, turns: Sequence[Turn]) -> float:
    """Return how long a consumer had run by then."""
    return sum(max((min(moment, end) - begin).total_seconds(), 0) for begin, end in turns)


def read(log: str) -> Progress:
    """Return what a log with the sandbox's format says."""
    batches = [(datetime.fromisoformat(when), int(count or 1)) for when, count in _APPLIED.findall(log)]
    return Progress(batches, len(_STORED.findall(log)))
