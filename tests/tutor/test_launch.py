"""The commands of ``tutor ... launch`` and ``do``, recorded by a ``docker`` that does nothing else."""

from __future__ import annotations

import json
import os
import pty
from pathlib import Path

import pytest

from tests.tutor import environments
from tests.tutor.machines import Machines
from tests.tutor.rendering import run
from tutor_badges.commands import COMMANDS

NEWEST = environments.NEWEST
# In the init task of the credentials plugin
MIGRATED = "./manage.py migrate create_or_update_site"


@pytest.mark.parametrize(
    ("mode", "name", "images"),
    [
        ("local", "kafka-own-mysql-own-redis", {"openedx-credentials", "openedx"}),
        # test_decisions.py says which images Redis needs.
        pytest.param("local", "redis-own-mysql-own-redis", {"openedx-credentials"}, marks=pytest.mark.long),
        ("dev", "kafka-own-mysql-own-redis", {"openedx-credentials", "openedx-dev"}),
    ],
)
def test_launch(machine: Machines, release: int, mode: str, name: str, images: set[str]) -> None:
    tutor = machine(release, name)
    tutor.tutor(mode, "launch", "-I")
    # Builds what nobody publishes, under tags that no published image has
    tags = [next(each for each in call if each.startswith("--tag=")).removeprefix("--tag=") for call in tutor.built()]
    tag_of = dict(tag.rsplit("/", 1)[-1].split(":") for tag in tags)
    assert set(tag_of) >= images
    assert all("-badges" in tag_of[image] for image in images - {"openedx-dev"})
    # ... from the layers of the image that they differ from
    if "openedx" in images:
        (build,) = [call for call in tutor.built() if any("/openedx:" in each for each in call if "--tag" in each)]
        assert any(each.startswith("--cache-from=") and "badges" not in each for each in build)
    # ... before anything starts
    calls = tutor.docker()
    assert calls.index(tutor.built()[-1]) < next(number for number, call in enumerate(calls) if "up" in call)
    # Ours come after the database was created and migrated
    scripts = [script for _, script in tutor.tasks()]
    services = [service for service, _ in tutor.tasks()]
    in_order = ("create credentials database", MIGRATED, "Badges: system checks")
    position = {what: next(number for number, script in enumerate(scripts) if what in script) for what in in_order}
    assert list(position.values()) == sorted(position.values())
    assert services[position["Badges: system checks"]] == "credentials-job"
    topics = [number for number, script in enumerate(scripts) if "create_topics" in script]
    assert len(topics) == (1 if name.startswith("kafka") else 0)
    assert all(number > position[MIGRATED] for number in topics)


def test_t15_our_init_tasks_alone_are_complete(machine: Machines, release: int) -> None:
    tutor = machine(release, "kafka-own-mysql-own-redis")
    tutor.tutor("local", "do", "init", "--limit=badges")
    assert [service for service, _ in tutor.tasks()] == ["credentials-job"] * 3
    # Without the tables, consumers and workers would wait for ever
    assert "./manage.py migrate" in tutor.tasks()[0][1]
    for _, script in tutor.tasks():
        run("shellcheck", "--shell=sh", "-", text=script)
        for number, block in enumerate(script.split("PYTHON")):
            if "import time" in block:
                compile(block.strip("'"), f"block {number}", "exec")


@pytest.mark.long
def test_t5_the_step_after_createuser_copies_superusers_who_are_not_there_yet(machine: Machines, release: int) -> None:
    """The guide counts on a task of the credentials plugin."""
    tutor = machine(release, "redis-own-mysql-own-redis")
    tutor.tutor("local", "do", "init", "--limit=credentials")
    (script,) = [script for _, script in tutor.tasks() if "INSERT credentials.core_user" in script]
    copied = script[script.index("core_user (") : script.index("SELECT")]
    assert {"is_superuser", "is_staff"} <= set(copied.replace(",", " ").split())
    assert "credentials_user.id IS NULL" in script


def test_do_commands_run_in_the_service_as_they_were_typed(machine: Machines) -> None:
    """Tutor renders the task, and a shell reads it. test_commands.py has the other commands."""
    tutor = machine(NEWEST, "options-kafka")
    tutor.tutor("local", "do", "badges-replay", "--since", "a b; {{ c }}")
    assert tutor.tasks() == [("credentials-job", "./manage.py badges_replay --topic badges --since 'a b; {{ c }}'")]


def test_t8_backfill_takes_the_rows_from_a_pipe(machine: Machines) -> None:
    tutor = machine(NEWEST, "kafka-own-mysql-own-redis")
    rows = "username,lms_user_id,course_key,passed,time\nann,7,course-v1:A+B+C,true,2026-01-31T12:00:00+00:00\n"
    # In Kubernetes, Tutor prints something before a command can keep it from doing so.
    tutor.run("local", "do", "badges-backfill", "-", "--dry-run", text=f"Waiting for a lms deployment...\n{rows}")
    ((service, script),) = tutor.tasks()
    assert service == "credentials-job"
    assert f"\n{rows}" in script
    assert "Waiting" not in script
    assert script.endswith("badges-backfill-1.csv --dry-run")


def test_t8_the_export_prints_rows_and_nothing_else(machine: Machines, release: int) -> None:
    """Beside them, Tutor prints its commands, and a terminal would mix what the LMS says with what it prints."""
    tutor = machine(release, "kafka-own-mysql-own-redis")
    for name in ("docker", "kubectl"):
        with (tutor.root / "bin" / name).open("a") as program:
            program.write('case " $* " in *" -c "*) echo rows;; esac\n')
    ours, terminal = pty.openpty()
    try:
        options = ("badges-export-passed", "--since", "2026-01-31T12:00:00+02:00")
        printed = [tutor.run(mode, "do", *options, stdin=terminal).stdout for mode in ("local", "dev", "k8s")]
    finally:
        os.close(ours)
        os.close(terminal)
    # In Kubernetes, Tutor prints something before a command can keep it from doing so.
    assert [printed[0], printed[1], printed[2].splitlines()[-1]] == ["rows\n", "rows\n", "rows"]
    assert "exec" not in printed[2]
    calls = [call for call in (*tutor.docker(), *tutor.kubectl()) if "-c" in call]
    local, dev, k8s = calls
    assert all(call[-6:-1] == ["-T", "lms-job", "sh", "-e", "-c"] for call in (local, dev))
    where = ["--namespace", "openedx", "deployment/lms", "--container", "lms"]
    assert k8s[:-1] == ["exec", *where, "--", "sh", "-e", "-c"]
    # Tutor renders tasks as templates, which takes the last line break away.
    (script,) = {call[-1].rstrip() for call in calls}
    assert "datetime.fromisoformat('2026-01-31T12:00:00+02:00')" in script
    run("shellcheck", "--shell=sh", "-", text=script)


def test_do_commands_exist(machine: Machines, release: int) -> None:
    printed = machine(release, "kafka-own-mysql-own-redis").tutor("k8s", "do", "--help")
    names = [*(str(command.name) for command in COMMANDS), "badges-export-passed", "badges-cleanup"]
    assert [name for name in names if name not in printed] == []


@pytest.mark.parametrize(
    "name",
    [
        "badges-plugin",
        pytest.param("openedx-badges-plugin", marks=pytest.mark.long),
        pytest.param("badges_plugin", marks=pytest.mark.long),
    ],
)
def test_a_mounted_checkout_is_in_the_image_and_in_the_containers(machine: Machines, tmp_path: Path, name: str) -> None:
    tutor = machine(NEWEST, "redis-own-mysql-own-redis")
    checkout = tmp_path / name
    checkout.mkdir()
    tutor.tutor("mounts", "add", checkout)
    tutor.tutor("images", "build", "credentials")
    (build,) = tutor.built()
    assert f"--build-context=mnt-{name}={checkout}" in build
    dockerfile = (tutor.root / "env/plugins/credentials/build/credentials/Dockerfile").read_text()
    assert f"COPY --from=mnt-{name} " in dockerfile
    assert dockerfile.index(f"--from=mnt-{name}") < dockerfile.index("collectstatic")
    for files in (combinations_files("local"), combinations_files("dev")):
        options = [option for file in files for option in ("-f", tutor.root / "env" / file)]
        services = json.loads(run("docker-compose", *options, "config", "--format", "json"))["services"]
        for service in ("credentials", "credentials-badges-consumer", "credentials-badges-worker"):
            assert (str(checkout), f"/mnt/{name}") in {
                (volume["source"], volume["target"]) for volume in services[service]["volumes"]
            }


def combinations_files(mode: str) -> tuple[str, ...]:
    return {
        "local": ("local/docker-compose.yml", "local/docker-compose.prod.yml"),
        "dev": ("local/docker-compose.yml", "dev/docker-compose.yml"),
    }[mode]
