"""Compare the time of one award with that of the code before there were batches, in turns. Needs Django."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from sandbox.bench.before import BEFORE, ROOT, ask, former, start
from sandbox.bench.goals import Measured
from sandbox.bench.scene import Scene

AWARDS = 40


def measure(scene: Scene) -> Iterator[Measured]:
    """Let a process of each code award by turns."""
    processes = [start(scene, ROOT, scene.stage.environment), former(scene)]
    for kind in ("own", "credly"):
        rounds = [[ask(child, kind, AWARDS) for child in processes] for _ in range(scene.size(7, 3))]
        new, old = (median(values) for values in zip(*rounds, strict=True))
        ratio = median(new / old for new, old in rounds)
        yield Measured(f"{kind} time", ratio, f"{new:.1f} ms, {BEFORE}: {old:.1f} ms")
    processes[0].stop()
