"""Let a thread that has waited, for a database or a provider, go on soon, while another one of the process computes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 0.0005
"""How long the other one computes meanwhile. By default it is 5 ms, and as often as the first one has waited."""


@contextmanager
def quick_switches(seconds: float = SECONDS) -> Iterator[None]:
    """Switch threads after so long inside the block."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
