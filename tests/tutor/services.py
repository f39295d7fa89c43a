"""The Credentials service of the sandbox, started with settings that Tutor rendered."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.tutor.environments import REPOSITORY
from tests.tutor.rendering import Rendering

SETTINGS = "plugins/credentials/apps/credentials/settings"


def environment(rendering: Rendering, module: str, folder: Path) -> dict[str, str]:
    """Return the environment of a process with the rendered settings ``module``, "production" or "development".

    ``folder`` gets the database and the operator's YAML file, which is empty, as in the image.
    """
    configuration = folder / "config.yml"
    configuration.write_text("{}")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("BADGES_", "EVENT_BUS_"))},
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "sandbox"), str(REPOSITORY)]),
        "DJANGO_SETTINGS_MODULE": "tests.tutor.credentials_settings",
        "RENDERED_SETTINGS": str(rendering.env / SETTINGS / f"{module}.py"),
        "RENDERED_DATABASE": str(folder / "credentials.sqlite3"),
        "CREDENTIALS_CFG": str(configuration),
    }


def python(environment: dict[str, str], *arguments: str, text: str | None = None) -> str:
    """Run Python and return what it prints. Raises AssertionError, with the output, when it fails."""
    command = [sys.executable, *arguments]
    finished = subprocess.run(command, env=environment, input=text, check=False, capture_output=True, text=True)
    if finished.returncode:
        raise AssertionError(f"{arguments}: {finished.returncode}\n{finished.stdout}\n{finished.stderr}")
    return finished.stdout
