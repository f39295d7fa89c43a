"""Measure what compiling a large configuration costs a fresh process. Needs Django."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from badges_plugin.models import BadgeRequirement
from sandbox.bench.badges import add_templates, deactivate
from sandbox.bench.goals import Measured
from sandbox.bench.scene import Scene

REQUIREMENTS = 50_000
OF_TEMPLATE = 5
COMPILED_SECONDS = 600.0


def measure(scene: Scene) -> Iterator[Measured]:
    """Compile them in a process that does nothing else."""
    # Together with those of the other badges.
    wanted = scene.size(REQUIREMENTS, REQUIREMENTS // 10)
    others = BadgeRequirement.objects.filter(template__is_active=True).count()
    count = -(-(wanted - others) // OF_TEMPLATE)
    templates = add_templates("large", count, requirements=OF_TEMPLATE)
    try:
        command = [sys.executable, "-m", "sandbox.bench.compiling", str(templates[0])]
        compiling = scene.stage.processes.start("compiling", command, environ=scene.stage.environment)
        if code := compiling.wait(timeout=COMPILED_SECONDS):
            raise RuntimeError(f"It ended with {code}: {compiling.log()[-300:]}")
        found = json.loads(compiling.output())
    finally:
        deactivate(templates)
    note = f"{others + count * OF_TEMPLATE} requirements; {found['active']} active templates"
    yield Measured("compile", found["cpu"], note)
    yield Measured("memory", found["megabytes"], f"the bare process has {found['bare']:.0f} MB")
    yield Measured("change", found["change"], f"one after the other: {found['changes']}")
