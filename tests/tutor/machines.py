"""Machines that run Tutor and record the programs that it would start, instead of starting them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.tutor import environments

# A shell starts in no time, and there are many calls. Two characters that no argument has end arguments and calls.
END_OF_ARGUMENT, END_OF_CALL = "\x1f", "\x1e"
RECORDER = r"""#!/bin/sh
{{ printf '%s\037' "$@"; printf '\036'; }} >> "{log}"
case " $* " in *" ls "*) echo "[]";; esac
"""


@dataclass(frozen=True)
class Machine:
    """A machine with Tutor, an environment, and a docker and a kubectl that only record."""

    release: int
    root: Path

    def tutor(self, *arguments: str | Path) -> str:
        """Run Tutor and return all that it prints."""
        finished = self.run(*arguments)
        return finished.stdout + finished.stderr

    def run(
        self, *arguments: str | Path, text: str | None = None, stdin: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run Tutor with a text, or an open file, as its standard input."""
        program = environments.tutor(self.release) / "bin" / "tutor"
        environment = environments.variables(
            self.release,
            TUTOR_ROOT=str(self.root),
            TUTOR_PLUGINS_ROOT=str(self.root / "plugins"),
            PATH=f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}",
        )
        finished = subprocess.run(
            [program, *arguments],
            env=environment,
            stdin=stdin,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished

    def docker(self) -> list[list[str]]:
        """Return the arguments of each call of docker."""
        return self._recorded("docker")

    def kubectl(self) -> list[list[str]]:
        """Return the arguments of each call of kubectl."""
        return self._recorded("kubectl")

    def built(self) -> list[list[str]]:
        return [call for call in self.docker() if "build" in call]

    def tasks(self) -> list[tuple[str, str]]:
        """Return the service and the script of each task, in their order."""
        return [(call[-5], call[-1]) for call in self.docker() if "run" in call]

    def _recorded(self, program: str) -> list[list[str]]:
        log = self.root / f"{program}.log"
        if not log.exists():
            return []
        return [call.split(END_OF_ARGUMENT)[:-1] for call in log.read_text().split(END_OF_CALL)[:-1]]


def set_up(release: int, rendering: Path, root: Path) -> Machine:
    """Return a machine with a copy of a rendered environment at ``root``."""
    shutil.copytree(rendering, root)
    (root / "bin").mkdir()
    for name in ("docker", "kubectl"):
        program = root / "bin" / name
        program.write_text(RECORDER.format(log=root / f"{name}.log"))
        program.chmod(0o755)
    return Machine(release, root)


Machines = Callable[[int, str], Machine]
"""Makes a machine of a Tutor release and the name of a configuration (see combinations.py)."""
