"""Show a container's probe that a loop is alive, without starting Django."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "BADGES_HEARTBEAT_FILE"


def beat() -> None:
    """Touch the file that the environment variable ``BADGES_HEARTBEAT_FILE`` names; without it, do nothing.

    Loops call this once per turn, also while they wait for an unavailable service: a probe that finds the file older
    than a few minutes may restart the container.
    """
    if path := os.environ.get(VARIABLE):
        Path(path).touch()
