"""Whether containers are started again when they hang, as their health checks would find out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tutor.conftest import Rendered
from tests.tutor.environments import NEWEST
from tests.tutor.rendering import DEV, LOCAL, Rendering

CONSUMER, WORKER, SCHEDULE = "credentials-badges-consumer", "credentials-badges-worker", "credentials-badges-schedule"
LMS_CONSUMER = "lms-badges-consumer"
KILLED = "kill -9 -1\n"


def run_check(check: str, folder: Path) -> str:
    """Run a health check with ``folder`` for /tmp. Return what it would kill: nothing if all is well.

    A shell function stands before the command of the same name.
    """
    script = 'kill() { echo "kill $*"; }\n' + check.replace("/tmp/", f"{folder}/")  # noqa: S108  (in the containers)
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout


def docker_check(rendering: Rendering, name: str) -> str:
    # Compose prints a dollar sign as it would have to be written.
    check: str = rendering.compose(LOCAL)[name]["healthcheck"]["test"][-1]
    return check.replace("$$", "$")


def test_t15_every_container_that_goes_on_running_has_a_health_check(rendered: Rendered, release: int) -> None:
    rendering = rendered(release, "options-kafka")
    for files in (LOCAL, DEV):
        unchecked = [name for name, service in rendering.compose(files).items() if "healthcheck" not in service]
        assert [name for name in unchecked if "badges" in name] == []
    for manifest in rendering.manifests():
        if manifest["kind"] == "Deployment" and "badges" in manifest["metadata"]["name"]:
            (container,) = manifest["spec"]["template"]["spec"]["containers"]
            assert container["livenessProbe"]


@pytest.mark.parametrize("name", [CONSUMER, WORKER, SCHEDULE])
def test_t15_a_container_that_hangs_is_started_again_by_docker_too(
    rendered: Rendered, tmp_path: Path, name: str
) -> None:
    """Docker only marks it as unhealthy; the check has to end it."""
    rendering = rendered(NEWEST, "options-kafka")
    service = rendering.compose(LOCAL)[name]
    check = docker_check(rendering, name)
    assert service["init"] is True
    # It is the file of the process before, when the container starts again.
    assert "rm -f /tmp/badges-heartbeat" in service["command"][-1]
    assert run_check(check, tmp_path) == ""
    heartbeat = tmp_path / "badges-heartbeat"
    heartbeat.touch()
    assert run_check(check, tmp_path) == ""
    os.utime(heartbeat, (0, 0))
    assert run_check(check, tmp_path) == KILLED


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """A process that sleeps until it gets a line, and then answers with the same line."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        yield started
        started.terminate()


def test_t15_the_consumer_of_the_lms_is_started_again_when_it_does_not_run(
    rendered: Rendered, tmp_path: Path, process: subprocess.Popen[str]
) -> None:
    """It is the platform's own and leaves no sign of life, but it wakes up every few seconds to ask for events."""
    check = docker_check(rendered(NEWEST, "options-kafka"), LMS_CONSUMER)
    (tmp_path / "badges-pid").write_text(f"{process.pid}\n")
    seen = tmp_path / "badges-switches"
    assert process.stdin is not None
    assert process.stdout is not None
    for line in ("first\n", "second\n"):
        process.stdin.write(line)
        process.stdin.flush()
        assert process.stdout.readline() == line
        wait_until_asleep(process.pid)
        assert run_check(check, tmp_path) == ""
        # Ten minutes later, and it has done nothing.
        os.utime(seen, (0, 0))
        assert run_check(check, tmp_path) == KILLED


def wait_until_asleep(pid: int) -> None:
    """Wait until the process is where it waits for a line. It is on its way there."""
    while "\nState:\tS" not in Path(f"/proc/{pid}/status").read_text():
        pass


def test_t15_the_script_of_the_consumer_of_the_lms_says_which_process_to_look_at(
    rendered: Rendered, tmp_path: Path
) -> None:
    script = rendered(NEWEST, "options-kafka").compose(LOCAL)[LMS_CONSUMER]["command"][-1]
    manage = tmp_path / "manage.py"
    manage.write_text('#!/bin/sh\ntest "$2" = migrate || echo $$\n')
    manage.chmod(0o755)
    printed = subprocess.run(
        ["sh", "-c", script.replace("/tmp/", f"{tmp_path}/")],  # noqa: S108  (in the containers)
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert (tmp_path / "badges-pid").read_text() == printed
    # Kubernetes makes one dollar sign of two.
    assert "$$" not in script
