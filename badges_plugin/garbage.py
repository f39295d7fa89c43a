"""Look for garbage less often, where batches make many objects all of which end with them.

Python looks each 700 objects and, now and then, through all that there are, such as the ruleset: a seventh of the time
of a consumer, and it finds nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS_BETWEEN_COLLECTIONS = 10_000
"""A batch makes some ten thousand objects."""


def collect_rarely() -> None:
    """Keep the garbage collector from looking at what stays, and from running all the time, in this process."""
    gc.collect()
    gc.freeze()
    _look_less_often()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Keep the garbage collector from running all the time inside the block."""
    thresholds = gc.get_threshold()
    _look_less_often()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _look_less_often() -> None:
    youngest, *older = gc.get_threshold()
    if youngest:  # 0 turns it off
        gc.set_threshold(max(youngest, OBJECTS_BETWEEN_COLLECTIONS), *older)
