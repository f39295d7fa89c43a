"""Chores that the worker does between deliveries, in steps so small that no delivery waits for them.

Each app registers its own; any number of workers may do the same chore at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from edx_django_utils.monitoring import function_trace, set_custom_attribute

from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe

logger = get_logger(__name__)

_RETRY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Chore:
    """A job that every worker does when it starts and then again and again, ``every`` so many seconds.

    ``step`` does a small part of it, given the current time, and returns whether there is more to do at once.
    """

    name: str
    step: Callable[[datetime], bool]
    every: float
    is_lasting: bool = False
    """Whether one step begins what a later one ends: nothing for a worker that is soon gone."""


_chores: dict[str, Chore] = {}


def register(chore: Chore) -> None:
    """Have every worker do the chore. It replaces one of the same name."""
    _chores[chore.name] = chore


class Housekeeping:
    """The schedule of one worker's chores: by default, of all that are registered."""

    def __init__(self, chores: Collection[Chore] | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._chores = _chores.values() if chores is None else chores
        self._clock = clock
        self._due: dict[str, float] = {}

    def do_due_chores(self, now: datetime, *, once: bool = False) -> None:
        """Do one step of each chore that is due. A chore that fails is logged and retried; the others go on.

        ``once``: for a worker that is soon gone, and does no lasting chore.

        .. custom_attribute_name: badges_chore
        .. custom_attribute_description: The chore that a worker does between deliveries.
        .. custom_attribute_name: badges_chore_failed
        .. custom_attribute_description: The last chore that failed and is retried.
        """
        for chore in list(self._chores):
            if (once and chore.is_lasting) or self._clock() < self._due.get(chore.name, float("-inf")):
                continue
            wait = chore.every
            try:
                with function_trace("badges.chore"):
                    set_custom_attribute("badges_chore", chore.name)
                    if chore.step(now):
                        wait = 0.0
            except Exception as error:  # noqa: BLE001 - deliveries matter more
                set_custom_attribute("badges_chore_failed", chore.name)
                logger.warning("The chore “%s” failed and is retried: %s", chore.name, describe(error))
                wait = min(wait, _RETRY_SECONDS)
            self._due[chore.name] = self._clock() + wait
