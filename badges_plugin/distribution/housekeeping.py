"""Chores that the worker does between deliveries, in steps so small that no delivery waits for them.

Each app registers its own; any number of workers may do the same chore at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe

logger = get_logger(__name__)

Step = Callable[[datetime], bool]
"""Does a small part of a chore, given the time of the day. Returns whether there is more to do at once."""

_SOON = 60.0


@dataclass(frozen=True, slots=True)
class _Chore:
    step: Step
    every: float


_chores: dict[str, _Chore] = {}


def register(name: str, step: Step, *, every: float) -> None:
    """Have every worker do this when it starts and then ``every`` so many seconds. One of the same name is replaced."""
    _chores[name] = _Chore(step, every)


class Housekeeping:
    """When one worker is to do which chore."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}

    def do_what_is_due(self, now: datetime) -> None:
        """Do one step of each chore that is due. One that fails is logged and tried again; it stops nothing else."""
        for name, chore in list(_chores.items()):
            if self._clock() < self._due.get(name, float("-inf")):
                continue
            wait = chore.every
            try:
                if chore.step(now):
                    wait = 0.0
            except Exception as error:  # noqa: BLE001 - deliveries matter more
                logger.warning("The chore “%s” failed and is tried again: %s", name, describe(error))
                wait = min(wait, _SOON)
            self._due[name] = self._clock() + wait
