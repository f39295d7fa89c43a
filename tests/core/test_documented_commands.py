"""Every command in README and documentation is one that a reader can run: known, and with options that it takes.

Those of Tutor are parsed by Tutor itself, in ``tests/tutor/test_documented_commands.py``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from importlib.util import find_spec

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from tests import documented
from tests.documented import ROOT, Shown

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z0-9_-]+):.*## ", MAKEFILE, flags=re.MULTILINE))
VARIABLES = set(re.findall(r"\$\((?:origin )?([A-Z0-9_]+)\)", MAKEFILE)) | {"PYTHON3"}
OURS = {name for name, app in get_commands().items() if str(app).startswith("badges_plugin")}

# Commands of a real Credentials service that the sandbox's stand-in does not have.
HOST_COMMANDS = {"copy_catalog"}
# Programs that no test of ours parses. Each has a reason.
OTHERS = {
    ".ci/run": "a script of this repository; CI runs it",
    ".venv/bin/scriv": "collects the changelog from its fragments",
    "atlas": "the program of Open edX that fetches translations",
    "curl": "sends requests to a simulator, or to a site that is an example",
    "git": "moves to a newer version of the checkout",
    "grep": "reads what a command prints",
    "jq": "reads what curl prints",
    "openssl": "makes a random word, wherever it is installed",
    "kubectl": "tests/tutor/test_kubernetes.py compares the line that deletes with what the plugin runs itself",
    "pip": "tests/tutor/test_operators_guide.py looks at what is installed",
}


def parse_manage(words: Iterable[str]) -> None:
    """Parse what follows ``manage.py`` as Django does. Raises CommandError, or SyntaxError for bad Python."""
    name, *arguments = words
    if name in HOST_COMMANDS:
        return
    if name not in get_commands():
        raise CommandError(f"there is no command {name}")
    command = load_command_class(get_commands()[name], name)
    try:
        options = vars(command.create_parser("manage.py", name).parse_args(arguments))
    except SystemExit:  # --help
        return
    if name == "shell":
        ast.parse(options["command"])


def parse_make(words: Iterable[str]) -> None:
    for word in words:
        name, is_variable, _ = word.partition("=")
        if name not in (VARIABLES if is_variable else TARGETS):
            raise CommandError(f"the Makefile has no {name}")


def parse_python(words: Iterable[str]) -> None:
    first, *rest = words
    if first == "-m":
        if find_spec(rest[0]) is None:
            raise CommandError(f"there is no module {rest[0]}")
    elif first.endswith("manage.py"):
        parse_manage(rest)
    elif not (ROOT / first).is_file():
        raise CommandError(f"there is no file {first}")


PARSERS: dict[str, Callable[[Iterable[str]], None]] = {
    "make": parse_make,
    "manage.py": parse_manage,
    "./manage.py": parse_manage,
    "python": parse_python,
    ".venv/bin/python": parse_python,
}


def wrong(shown: Shown) -> str:
    """Return what is wrong with a command, or an empty text."""
    program, *words = shown.words
    # "tutor" is parsed elsewhere; what it runs in the service is Django's.
    inner = [words.index(each) for each in ("manage.py", "./manage.py") if each in words]
    if program == "tutor":
        program, words = ("manage.py", words[inner[0] + 1 :]) if inner else ("", [])
    # The manage.py of the platform is told the service first.
    words = words[1:] if words[:1] in (["lms"], ["cms"]) else words
    if program not in PARSERS:
        return "" if program in {"", *OTHERS} else f"{shown}: what checks {program}? See OTHERS in {__name__}"
    try:
        PARSERS[program](words)
    except (CommandError, SyntaxError, ValueError) as error:
        return f"{shown}: {error}"
    return ""


@pytest.mark.standin
def test_every_command_in_a_block_can_be_run() -> None:
    shown = documented.commands()
    assert {each.page for each in shown} >= {"README.rst", "docs/tutorial.rst", "docs/operations/tutor/running.rst"}
    assert [message for message in map(wrong, shown) if message] == []


@pytest.mark.standin
def test_every_command_in_running_text_can_be_run() -> None:
    shown = documented.inline_commands(frozenset({*PARSERS, "tutor"}))
    ours = [Shown(each.page, ("manage.py", *each.words)) for each in documented.inline_commands(frozenset(OURS))]
    assert len(shown) > len(ours) > 0
    assert [message for message in map(wrong, [*shown, *ours]) if message] == []


@pytest.mark.parametrize(
    "line",
    [
        "make no-such-target",
        "make bench NO_SUCH_VARIABLE=1",
        "manage.py no_such_command",
        "manage.py badges_doctor --no-such-option",
        "tutor local exec credentials ./manage.py purge_failed_events",
        'tutor local run lms ./manage.py lms shell -c "print("',
        "python -m no_such_module",
        "badges-doctor",
    ],
)
def test_mistakes_are_found(line: str) -> None:
    (words,) = documented.split(line)
    assert wrong(Shown("page.rst", words))
