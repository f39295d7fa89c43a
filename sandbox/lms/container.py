"""Run in the LMS side what Tutor runs in a container of the LMS."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from tutor_badges import exporting

HERE = Path(__file__).parent


def migrate(environ: Mapping[str, str]) -> None:
    """Make the tables of the LMS side."""
    _run(["./manage.py", "lms", "migrate", "--run-syncdb", "--verbosity", "0"], environ)


def export_passed(environ: Mapping[str, str], since: datetime | None = None) -> str:
    """Return what ``badges-export-passed`` prints."""
    return _run(["sh", "-e", "-c", exporting.script(since)], environ)


def _run(command: list[str], environ: Mapping[str, str]) -> str:
    # The shebang finds this Python.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command, cwd=HERE, env={**os.environ, "PATH": path, **environ}, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout
