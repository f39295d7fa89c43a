"""Run the demo, end to end: ``python -m sandbox.demo``. Exits with 1 when any step does not end as expected."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import django

from sandbox.demo.deployment import Deployment
from sandbox.demo.ports import free_port
from sandbox.demo.processes import Processes


def main() -> int:
    """Run the demo in a folder of its own, which is kept when it fails."""
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="badges-demo-"))
    try:
        with Processes(folder) as processes:
            _run(processes)
    except Exception as error:  # noqa: BLE001  whatever it is, the demo has failed and says so
        print(f"\nThe demo failed: {error}\nLogs of every process: {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    print(f"\nEvery step ended as expected, in {time.monotonic() - started:.0f} s. Nothing is left running.")
    return 0


def _run(processes: Processes) -> None:
    print("Starting an event bus, a Credly simulator, Credentials with a consumer and a worker, and an LMS ...")
    deployment = Deployment(processes)
    deployment.migrate()
    os.environ.update({**deployment.environment, "BADGES_SANDBOX_LOG_LEVEL": "WARNING"})
    django.setup()
    from sandbox.demo.badges import set_up_badges
    from sandbox.demo.story import Story

    templates = set_up_badges()
    # Started early: it takes a moment, and the story needs it near its end only.
    served = deployment.serve(free_port())
    consumer, worker, lms = deployment.start_consumer(), deployment.start_worker(), deployment.start_lms()
    print("Staff have set up the badge “Data Science Explorer” of Credly: pass Statistics and Python, keep Python.")
    Story(deployment, templates, consumer=consumer, worker=worker, lms=lms, served=served).tell()


if __name__ == "__main__":
    sys.exit(main())
