"""Measure what compiling a large configuration costs a fresh process. Needs Django."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from sandbox.bench.badges import add_templates, deactivate
from sandbox.bench.goals import Measured
from sandbox.bench.scene import Scene

TEMPLATES = 10_000
REQUIREMENTS = 5
COMPILED_SECONDS = 600.0


def measure(scene: Scene) -> Iterator[Measured]:
    """Compile them in a process that does nothing else."""
    count = scene.size(TEMPLATES, TEMPLATES // 10)
    templates = add_templates("large", count, requirements=REQUIREMENTS)
    try:
        command = [sys.executable, "-m", "sandbox.bench.compiling", str(templates[0])]
        compiling = scene.stage.processes.start("compiling", command, environ=scene.stage.environment)
        if code := compiling.wait(timeout=COMPILED_SECONDS):
            raise RuntimeError(f"It ended with {code}: {compiling.log()[-300:]}")
        found = json.loads(compiling.output())
    finally:
        deactivate(templates)
    note = f"{count * REQUIREMENTS} requirements; {found['active']} active templates"
    yield Measured("compile", found["cpu"], note)
    yield Measured("memory", found["megabytes"], f"the bare process has {found['bare']:.0f} MB")
    yield Measured("change", found["change"], f"one after the other: {found['changes']}")
