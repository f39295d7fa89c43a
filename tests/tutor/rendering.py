"""Rendered Tutor environments, and the programs that check them."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.tutor import environments

REQUIRED = ("mfe", "discovery", "credentials")
LOCAL = ("local/docker-compose.yml", "local/docker-compose.prod.yml", "local/docker-compose.jobs.yml")
DEV = (
    "local/docker-compose.yml",
    "dev/docker-compose.yml",
    "local/docker-compose.jobs.yml",
    "dev/docker-compose.jobs.yml",
)


@dataclass(frozen=True)
class Rendering:
    """One rendered environment of one Tutor release."""

    release: int
    root: Path

    @property
    def env(self) -> Path:
        return self.root / "env"

    def text(self, path: str) -> str:
        return (self.env / path).read_text()

    def compose(self, files: tuple[str, ...]) -> dict[str, Any]:
        """Return the services as Compose itself understands the files. Raises CalledProcessError if it refuses them."""
        return _services(self.env, files)

    def manifests(self) -> list[dict[str, Any]]:
        """Return the Kubernetes resources as kustomize builds them."""
        return _resources(self.env)


# Kept: several tests look at the same rendering, and none changes what it is given.
@cache
def _services(env: Path, files: tuple[str, ...]) -> dict[str, Any]:
    options = [option for file in files for option in ("-f", env / file)]
    project: dict[str, Any] = json.loads(run("docker-compose", *options, "config", "--format", "json"))
    services: dict[str, Any] = project["services"]
    return services


@cache
def _resources(env: Path) -> list[dict[str, Any]]:
    # In C: the files are long, and Python takes ten times as long for them.
    return list(yaml.load_all(run("kubectl", "kustomize", env), Loader=yaml.CSafeLoader))


def render(release: int, folder: Path, configurations: Mapping[str, Mapping[str, Any]], *, badges: bool = True) -> None:
    """Render each configuration into ``folder``/name."""
    wanted = {
        "plugins": [*REQUIRED, *(["badges"] if badges else [])],
        "renderings": {str(folder / name): given for name, given in configurations.items()},
    }
    python = environments.tutor(release) / "bin" / "python"
    script = Path(__file__).with_name("render.py")
    subprocess.run(
        [python, script],
        env=environments.variables(release),
        input=json.dumps(wanted),
        check=True,
        capture_output=True,
        text=True,
    )


def render_once(release: int, folder: Path, configurations: Mapping[str, Mapping[str, Any]], *, badges: bool) -> None:
    """Render, unless another process of the same test run has done so."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            render(release, folder, configurations, badges=badges)
            (folder / "done").touch()


def run(program: str, *arguments: str | Path, text: str | None = None) -> str:
    """Run one of the checking programs and return what it prints. Raises CalledProcessError when it finds fault."""
    path = environments.tools() / "bin" / program
    environment = {**os.environ, "PYTHONWARNINGS": ""}
    finished = subprocess.run(
        [path, *arguments], input=text, check=False, capture_output=True, text=True, env=environment
    )
    if finished.returncode:
        raise AssertionError(f"{program} {arguments}:\n{finished.stdout}\n{finished.stderr}")
    return finished.stdout
