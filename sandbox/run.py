"""Keep a sandbox running, with the admin to click through: ``python -m sandbox.run``. Ctrl-C ends it."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import django

from sandbox.accredible import DEMO_KEY
from sandbox.demo.deployment import BADGES_CONFIG, MANAGE, Deployment
from sandbox.demo.ports import HOST, accepts, free_port
from sandbox.demo.processes import Child, Processes, ProcessFailed

STAFF = "admin"
EVENTS = (
    "org.openedx.learning.course.passing.status.updated.v1",
    "org.openedx.learning.ccx.course.passing.status.updated.v1",
    "org.openedx.learning.course.persistent_grade_summary.changed.v1",
    "org.openedx.learning.certificate.created.v1",
)
"""Event types to try: those of the default, and those of grades and certificates."""


def main(arguments: list[str]) -> int:
    """Run until interrupted, or until a part ends unexpectedly."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.run", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="port of the admin; 0 chooses a free one")
    port = parser.parse_args(arguments).port or free_port()
    if accepts(port):
        print(f"Port {port} is in use. Choose another one: make run PORT={free_port()}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="badges-sandbox-") as folder, Processes(Path(folder)) as processes:
        try:
            children = _start(processes, port)
            while all(child.exit_code is None for child in children):
                time.sleep(1)
        except KeyboardInterrupt:
            print("\nStopping.")
            return 0
        except ProcessFailed as error:
            print(error, file=sys.stderr)
            return 1
        ended = next(child for child in children if child.exit_code is not None)
        print(f"{ended.name} ended unexpectedly. Its log:\n{ended.log()}", file=sys.stderr)
        return 1


def _start(processes: Processes, port: int) -> list[Child]:
    accredible = processes.start("accredible", [sys.executable, "-m", "sandbox.accredible"])
    accredible.wait_for(lambda: "\n" in accredible.output(), "it was ready")
    settings = {
        "ACCREDIBLE_API_BASE_URL": accredible.output().splitlines()[0],
        # Links that the pages offer lead here.
        "BADGES_CONFIG_JSON": json.dumps(
            {**BADGES_CONFIG, "events": EVENTS, "open_badges": {"base_url": f"http://{HOST}:{port}/"}}
        ),
    }
    deployment = Deployment(processes, settings=settings)
    deployment.migrate()
    manage = write_manage(processes.folder, deployment.environment)
    os.environ.update({**deployment.environment, "BADGES_SANDBOX_LOG_LEVEL": "WARNING"})
    django.setup()
    from django.contrib.auth import get_user_model

    from sandbox.demo.badges import FIRST_COURSE, set_up_badges

    get_user_model().objects.create_superuser(STAFF, "admin@example.org", STAFF)
    set_up_badges()
    served = deployment.serve(port)
    address = served.address()
    children = [served.child, deployment.start_consumer(), deployment.start_worker()]
    bus = " ".join(f"{name}={shlex.quote(value)}" for name, value in deployment.bus_environment.items())
    print(
        f"\nAdmin:      {address}/admin/  user {STAFF}, password {STAFF}\n"
        f"Pages:      {address}/badges/mine/ for who is signed in, /badges/catalogue/ for everybody\n"
        f"Credly:     {deployment.credly_url.removesuffix('/v1/')}/_control/summary (a simulator)\n"
        f"Accredible: a simulator; it accepts the API key {DEMO_KEY}\n"
        f"Logs:       {processes.folder}\n"
        f"Commands:   {manage} badges_doctor (or any other of manage.py)\n\nSend an event, as the LMS would:\n\n"
        f"  {bus} {sys.executable} -m sandbox.lms emit passing --user-id 7 --username ada"
        f" --email ada@example.org --name 'Ada Lovelace' --course {FIRST_COURSE} --is-passing\n\n"
        "Press Ctrl-C to stop everything.",
        flush=True,
    )
    return children


def write_manage(folder: Path, environment: Mapping[str, str]) -> Path:
    """Write a script that runs a management command in this sandbox, from any terminal and folder."""
    script = folder / "manage"
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    call = shlex.join([sys.executable, MANAGE])
    script.write_text(f'#!/bin/sh\n{exports}exec {call} "$@"\n', "utf-8")
    script.chmod(0o700)
    return script


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
