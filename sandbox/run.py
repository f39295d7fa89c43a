"""Keep a sandbox running, with the admin to click through: ``python -m sandbox.run``. Ctrl-C ends it."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import django

from sandbox.accredible import DEMO_KEY
from sandbox.demo.deployment import BADGES_CONFIG, MANAGE, Deployment
from sandbox.demo.ports import HOST, accepts, free_port
from sandbox.demo.processes import Child, Processes, ProcessFailed

EVENTS = (
    "org.openedx.learning.course.passing.status.updated.v1",
    "org.openedx.learning.ccx.course.passing.status.updated.v1",
    "org.openedx.learning.course.persistent_grade_summary.changed.v1",
    "org.openedx.learning.certificate.created.v1",
)
"""Event types to try: those of the default, and those of grades and certificates."""
WELCOME = """
Staff:      {address}/admin/  user admin, password admin
Learners:   {address}/badges/mine/  user ada or bob, the password is the same word
Everybody:  {address}/badges/catalogue/
Credly:     {credly}/_control/summary (a simulator)
Accredible: a simulator; it accepts the API key {accredible_key}
Logs:       {folder}
Commands:   {manage} badges_doctor (or any other of manage.py)

Ada passes Statistics. Send the event from a second terminal, as the LMS would:

  {lms} passing --user-id 7 --username ada --email ada@example.org --name "Ada Lovelace" \\
    --course {course} --is-passing

Press Ctrl-C to stop everything."""


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
    manage = write_script(processes.folder / "manage", deployment.environment, [sys.executable, MANAGE])
    os.environ.update({**deployment.environment, "BADGES_SANDBOX_LOG_LEVEL": "WARNING"})
    django.setup()
    from sandbox.campus import furnish
    from sandbox.demo.badges import FIRST_COURSE, set_up_badges

    set_up_badges()
    furnish()
    served = deployment.serve(port)
    address = served.address()
    children = [served.child, deployment.start_consumer(), deployment.start_worker()]
    emit = [sys.executable, "-m", "sandbox.lms", "emit"]
    lms = write_script(processes.folder / "lms", deployment.bus_environment, emit)
    credly = deployment.credly_url.removesuffix("/v1/")
    places = {"address": address, "folder": processes.folder, "credly": credly, "accredible_key": DEMO_KEY}
    print(WELCOME.format(manage=manage, lms=lms, course=FIRST_COURSE, **places), flush=True)
    return children


def write_script(script: Path, environment: Mapping[str, str], command: Sequence[str]) -> Path:
    """Write a script that runs a command in this sandbox, from any terminal and folder."""
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    script.write_text(f'#!/bin/sh\n{exports}exec {shlex.join(command)} "$@"\n', "utf-8")
    script.chmod(0o700)
    return script


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
