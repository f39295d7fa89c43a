"""The scripts of ``tutor ... do badges-...``, as Tutor renders them. test_launch.py runs Tutor itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import jinja2
import pytest

from tutor_badges.commands import COMMANDS
from tutor_badges.config import defaults


def tasks(*arguments: str, **changes: str) -> list[tuple[str, str]]:
    """Return service and script of each task of a command line, in the default configuration with ``changes``."""
    (command,) = [each for each in COMMANDS if each.name == arguments[0]]
    config = {**dict(defaults("1.2.3")), **changes}
    context = command.make_context(command.name, list(arguments[1:]))
    return [(service, jinja2.Template(script).render(config)) for service, script in command.invoke(context)]


GROUP = "--group credentials-badges"


@pytest.mark.parametrize(
    ("arguments", "script"),
    [
        (["badges-doctor"], f"./manage.py badges_doctor {GROUP} --topic learning-badges-lifecycle"),
        (["badges-doctor", "--json"], f"./manage.py badges_doctor {GROUP} --topic learning-badges-lifecycle --json"),
        (["badges-doctor", "--help"], f"./manage.py badges_doctor {GROUP} --topic learning-badges-lifecycle --help"),
        (["badges-sync-templates"], "./manage.py sync_credly_badge_templates"),
        (["badges-adopt-builtin", "--apply"], "./manage.py badges_adopt_builtin --apply"),
        (["badges-replay", "--dry-run"], "./manage.py badges_replay --topic learning-badges-lifecycle --dry-run"),
        # Characters that a shell or a template would interpret
        (
            ["badges-replay", "--since", "a b; {{ c }}"],
            "./manage.py badges_replay --topic learning-badges-lifecycle --since 'a b; {{ c }}'",
        ),
    ],
)
def test_do_commands(arguments: list[str], script: str) -> None:
    assert tasks(*arguments) == [("credentials", script)]


@pytest.mark.parametrize("name", ["badges-doctor", "badges-replay"])
def test_jobs_look_at_the_topic_of_the_deployment(name: str) -> None:
    ((_, script),) = tasks(name, BADGES_EVENT_BUS_TOPIC="campus.badges")
    assert script.endswith(" --topic campus.badges")


def test_backfill_carries_the_file_into_the_container(tmp_path: Path) -> None:
    path = tmp_path / "passed.csv"
    path.write_text("username,course\nann,course-v1:A+B+C\n$(id) {{ x }},course-v1:A+B+C\n")
    ((service, script),) = tasks("badges-backfill", str(path), "--dry-run")
    assert service == "credentials"
    manage = tmp_path / "manage.py"
    manage.write_text('#!/bin/sh\ncat "$2"; echo "$@"\n')
    manage.chmod(0o755)
    printed = subprocess.run(
        ["sh", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert printed.startswith(path.read_text())
    assert printed.endswith("badges_backfill /tmp/badges-backfill-1.csv --dry-run\n")
