"""Lists and counts for reports that stay small, whatever goes wrong a million times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_LINES = 50
MAX_REASONS = 1000
OTHER_REASONS = "other reasons"


@dataclass
class Sample:
    """Counts lines and keeps the first of them."""

    total: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        self.total += 1
        if len(self.lines) < MAX_LINES:
            self.lines.append(line)

    def __len__(self) -> int:
        return self.total


def count_reasons(counted: Counter[str], reasons: Iterable[str]) -> None:
    """Count reasons. Some of them name a learner by id, so those beyond the first thousand are counted together."""
    for reason in reasons:
        counted[reason if reason in counted or len(counted) < MAX_REASONS else OTHER_REASONS] += 1
