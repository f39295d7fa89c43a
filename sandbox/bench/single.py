"""Compare the time of one award with that of the code before there were batches, in turns. Needs Django.

The former code comes from the history of this repository, and has a database of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from sandbox.bench.goals import Measured
from sandbox.bench.scene import Scene
from sandbox.demo.processes import Child

ROOT = Path(__file__).resolve().parents[2]
BEFORE = "1b7ba22"
"""The last commit before batches."""
AWARDS = 40
ANSWER_SECONDS = 300.0
_RUN = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"


def measure(scene: Scene) -> Iterator[Measured]:
    """Let a process of each code award by turns."""
    folder = scene.stage.processes.folder / "before"
    _unpack(folder)
    environment = scene.stage.environment
    url = urlsplit(environment.get("DATABASE_URL") or os.environ["DATABASE_URL"])
    name = f"{url.path[1:]}_before"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {connection.ops.quote_name(name)}")
    try:
        leads_there = {**environment, "DATABASE_URL": urlunsplit(url._replace(path=f"/{name}"))}
        processes = [_start(scene, ROOT, environment), _start(scene, folder, leads_there)]
        for kind in ("own", "credly"):
            rounds = [[_ask(child, kind) for child in processes] for _ in range(scene.size(7, 3))]
            new, old = (median(values) for values in zip(*rounds, strict=True))
            ratio = median(new / old for new, old in rounds)
            yield Measured(f"{kind} time", ratio, f"{new:.1f} ms, {BEFORE}: {old:.1f} ms")
        for child in processes:
            child.stop()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {connection.ops.quote_name(name)}")


def _unpack(folder: Path) -> None:
    """Put the former code there. Raises RuntimeError where the repository's history does not have it."""
    packed = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, capture_output=True, check=False)  # noqa: S607
    if packed.returncode:
        raise RuntimeError(f"git archive {BEFORE}: {packed.stderr.decode().strip()}")
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _start(scene: Scene, code: Path, environment: Mapping[str, str]) -> Child:
    """Start ``sandbox.bench.awarding`` of this code on the code in a folder."""
    script = str(ROOT / "sandbox" / "bench" / "awarding.py")
    command = [sys.executable, "-c", _RUN, script, str(code)]
    child = scene.stage.processes.start(f"awarding-{code.name}", command, environ=environment)
    child.wait_for(lambda: "ready" in child.output(), "it was ready", timeout=ANSWER_SECONDS)
    return child


def _ask(child: Child, kind: str) -> float:
    """Return the median milliseconds of some awards."""
    before = child.output().count("\n")
    child.send_line(json.dumps([kind, AWARDS]))
    child.wait_for(lambda: child.output().count("\n") > before, "it had awarded", timeout=ANSWER_SECONDS)
    return float(child.output().splitlines()[-1])
