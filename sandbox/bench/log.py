"""Read in a consumer's log when it had applied how many events. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

# "Applied 100 events in 60 ms: ..." at the end of a batch.
_APPLIED = re.compile(r"^(\S+ \S+) INFO badges_plugin\.\S+: Applied (?:(\d+) events in )?", re.MULTILINE)
_STORED = re.compile(r"^\S+ \S+ \w+ badges_plugin\.\S+: Stored ", re.MULTILINE)


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
        (first, count), (last, _) = self.batches[0], self.batches[-1]
        seconds = (last - first).total_seconds()
        if not seconds:
            raise RuntimeError("Everything was applied in one batch: there is nothing to measure.")
        return (self.handled - count) / seconds


def read(log: str) -> Progress:
    """Return what a log with the sandbox's format says."""
    batches = [(datetime.fromisoformat(when), int(count or 1)) for when, count in _APPLIED.findall(log)]
    return Progress(batches, len(_STORED.findall(log)))
