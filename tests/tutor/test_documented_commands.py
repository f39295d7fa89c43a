"""Tutor takes every command of its own that README and documentation show: commands, options, settings, containers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests import documented
from tests.tutor import environments
from tests.tutor.conftest import Rendered
from tests.tutor.rendering import DEV, LOCAL

# Subcommands of ``tutor local`` and ``tutor dev`` with the name of a container, or with several.
ONE_CONTAINER, MORE_CONTAINERS = {"exec", "run"}, {"logs", "restart", "stop", "start"}
MISTAKES = [
    ["no-such-command"],
    ["local", "do", "no-such-job"],
    ["k8s", "do", "badges-cleanup", "--no-such-option"],
    ["local", "do", "badges-backfill", "no-such-file.csv"],
    ["config", "save", "--set", "BADGES_NO_SUCH_SETTING=1"],
    ["config", "save", "--set", "BADGES_EVENT_BUS=pulsar"],
    ["plugins", "enable", "no-such-plugin"],
    ["images", "build", "no-such-image"],
]


def judged(release: int, lines: Sequence[Sequence[str]], folder: Path) -> list[str]:
    """Return what is wrong with each line, in the words of Tutor."""
    (folder / "passed.csv").write_text("username,course_key,passed,time\n")
    python = environments.tutor(release) / "bin" / "python"
    script = Path(__file__).with_name("parse.py")
    finished = subprocess.run(
        [python, script],
        cwd=folder,
        env=environments.variables(release, TUTOR_PLUGINS_ROOT=str(folder / "plugins")),
        input=json.dumps(lines),
        check=True,
        capture_output=True,
        text=True,
    )
    # Tutor may have printed alerts about the configuration first.
    answers: list[str] = json.loads(finished.stdout.splitlines()[-1])
    return answers


def shown() -> list[documented.Shown]:
    # "tutor local" alone names the mode.
    inline = [each for each in documented.inline_commands(frozenset({"tutor"})) if len(each.words) > 2]
    found = [each for each in (*documented.commands(), *inline) if each.words[0] == "tutor"]
    return [each for each in found if "NAME" not in each.words and "NAME=VALUE" not in each.words]


def test_tutor_takes_every_line_and_finds_mistakes(release: int, tmp_path: Path) -> None:
    lines = shown()
    answers = judged(release, [*MISTAKES, *(each.words[1:] for each in lines)], tmp_path)
    assert [line for line, message in zip(MISTAKES, answers, strict=False) if not message] == []
    told = zip(lines, answers[len(MISTAKES) :], strict=True)
    assert "\n".join(f"{line}: {message}" for line, message in told if message) == ""


def test_every_container_is_there(rendered: Rendered, release: int) -> None:
    env = rendered(release, "kafka-own-mysql-own-redis").env
    containers = {name for file in {*LOCAL, *DEV} for name in yaml.safe_load((env / file).read_text())["services"]}
    named: dict[str, str] = {}
    for line in shown():
        mode, command, *rest = [*line.words[1:], "", ""]
        names = [word for word in rest if word and not word.startswith("-")]
        if mode in {"local", "dev"} and command in ONE_CONTAINER | MORE_CONTAINERS:
            named |= dict.fromkeys(names[:1] if command in ONE_CONTAINER else names, str(line))
    assert {name: line for name, line in named.items() if name not in containers} == {}
