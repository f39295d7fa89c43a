"""How a container's probe learns that a loop still turns, without starting Django."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "BADGES_HEARTBEAT_FILE"


def beat() -> None:
    """Touch the file that the environment variable ``BADGES_HEARTBEAT_FILE`` names; without it, do nothing.

    Called once per turn by whatever loops, also while it waits for something that is away: a probe that finds
    the file older than some minutes may restart the container.
    """
    if path := os.environ.get(VARIABLE):
        Path(path).touch()
