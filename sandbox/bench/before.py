"""The code before there were batches, beside that of today. Needs Django.

It comes from the history of this repository, and has a database of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from sandbox.bench.scene import Scene
from sandbox.demo.processes import Child

ROOT = Path(__file__).resolve().parents[2]
BEFORE = "1b7ba22"
"""The last commit before batches."""
ANSWER_SECONDS = 300.0
_RUN = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"


def former(scene: Scene) -> Child:
    """Return a process of ``sandbox.bench.awarding`` on the former code, which runs as long as there are parts."""
    if scene.former is None:
        scene.former = scene.closing.enter_context(_former(scene))
    return scene.former


@contextmanager
def _former(scene: Scene) -> Iterator[Child]:
    folder = scene.stage.processes.folder / "before"
    _unpack(folder)
    environment = scene.stage.environment
    url = urlsplit(environment.get("DATABASE_URL") or os.environ["DATABASE_URL"])
    name = f"{url.path[1:]}_before"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {connection.ops.quote_name(name)}")
    try:
        child = start(scene, folder, {**environment, "DATABASE_URL": urlunsplit(url._replace(path=f"/{name}"))})
        yield child
        child.stop()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {connection.ops.quote_name(name)}")


def start(scene: Scene, code: Path, environment: Mapping[str, str]) -> Child:
    """Start ``sandbox.bench.awarding`` of this code on the code in a folder."""
    script = str(ROOT / "sandbox" / "bench" / "awarding.py")
    command = [sys.executable, "-c", _RUN, script, str(code)]
    child = scene.stage.processes.start(f"awarding-{code.name}", command, environ=environment)
    child.wait_for(lambda: "ready" in child.output(), "it was ready", timeout=ANSWER_SECONDS)
    return child


def ask(child: Child, kind: str, count: int) -> float:
    """Return what ``sandbox.bench.awarding`` answers."""
    before = child.output().count("\n")
    child.send_line(json.dumps([kind, count]))
    child.wait_for(lambda: child.output().count("\n") > before, "it had answered", timeout=ANSWER_SECONDS)
    return float(child.output().splitlines()[-1])


def _unpack(folder: Path) -> None:
    """Put the former code there. Raises RuntimeError where the repository's history does not have it."""
    packed = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, capture_output=True, check=False)  # noqa: S607
    if packed.returncode:
        raise RuntimeError(f"git archive {BEFORE}: {packed.stderr.decode().strip()}")
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
