"""Run our tests inside a real checkout of the Credentials service."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.host.installation import PINS, REPOSITORY, python_for

SETTINGS = "tests.host.settings"


def main(arguments: Sequence[str]) -> int:
    """Return the exit code of pytest."""
    parser = argparse.ArgumentParser(prog="python -m tests.host", description=__doc__)
    parser.add_argument("checkout", type=Path, help="folder with a checkout of openedx/credentials")
    options, pytest_arguments = parser.parse_known_args(arguments)
    checkout: Path = options.checkout.resolve()
    if not (checkout / PINS).is_file():
        parser.error(f"{checkout} is not a checkout of openedx/credentials: it has no {PINS}.")

    python = python_for(checkout, mysql=os.environ.get("DATABASE_URL", "").startswith("mysql"))
    with tempfile.TemporaryDirectory(prefix="badges-host-") as folder:
        environ = {
            **os.environ,
            "BADGES_SANDBOX_DIR": folder,
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            # For the processes that tests start, too: the checkout's ``credentials`` comes first.
            "PYTHONPATH": os.pathsep.join([str(checkout), str(REPOSITORY)]),
        }
        command = [
            *[str(python), "-m", "pytest", f"--ds={SETTINGS}"],
            # Instead of pyproject.toml's: no stand-in, and the service's own warnings are not ours to fix.
            *["-o", f"pythonpath={REPOSITORY}", "-o", "filterwarnings=default"],
            *pytest_arguments,
        ]
        return subprocess.run(command, cwd=REPOSITORY, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
