"""Run in the LMS side what Tutor runs in a container of the LMS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from tutor_badges import exporting

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NO_BUS = {"EVENT_BUS_PRODUCER": "openedx_events.event_bus.NoEventBusProducer"}


def migrate(environ: Mapping[str, str]) -> None:
    """Make the tables of the LMS side."""
    _run(["./manage.py", "lms", "migrate", "--run-syncdb", "--verbosity", "0"], environ)


def grade(environ: Mapping[str, str], commands: Iterable[Mapping[str, object]]) -> None:
    """Have the LMS side grade learners, by commands for ``stream``; their events go nowhere."""
    lines = "".join(f"{json.dumps(command)}\n" for command in commands)
    _run([sys.executable, "-m", "sandbox.lms", "stream"], {**environ, **NO_BUS, "PYTHONPATH": str(ROOT)}, lines)


def export_passed(environ: Mapping[str, str], since: datetime | None = None) -> str:
    """Return what ``badges-export-passed`` prints."""
    return _run(["sh", "-e", "-c", exporting.script(since)], environ)


def _run(command: list[str], environ: Mapping[str, str], text: str = "") -> str:
    # The shebang finds this Python.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, **environ}
    return subprocess.run(
        command, cwd=HERE, env=environment, input=text, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
