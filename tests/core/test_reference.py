"""The reference names each command with its options, each finding, check and attribute, and none that is not there."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from django.core.management import BaseCommand, load_command_class

from badges_plugin import conf, doctor
from badges_plugin.distribution.backends import Backend
from badges_plugin.distribution.credly import conf as credly_conf
from badges_plugin.distribution.hooks import Hooks
from badges_plugin.doctor import core_probes

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (ROOT / "docs/reference/commands.rst").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs/reference/settings.rst").read_text(encoding="utf-8")
HOWTO = (ROOT / "docs/howto/write-a-backend.rst").read_text(encoding="utf-8")
SYMPTOMS = (ROOT / "docs/operations/troubleshooting.rst").read_text(encoding="utf-8")
# What others say: the libraries of the event bus, Python, and providers by their status.
FOREIGN = {
    "Error delivering message to Kafka event bus",
    "Error delivering message to Redis event bus",
    "KeyError: 'events'",
    "HTTP 403",
    "HTTP 404",
}
SOURCES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "badges_plugin").rglob("*.py"))}
FILES = [path for path in SOURCES if path.parent.name == "commands" and path.stem != "__init__"]


def section(name: str) -> str:
    """Return the part of the page whose title names the command."""
    parts = re.split(r"^(``.+``.*)\n~+$", COMMANDS.partition("\nWhat ``badges_doctor`` checks")[0], flags=re.MULTILINE)
    return next(text for title, text in zip(parts[1::2], parts[2::2], strict=True) if f"``{name}``" in title + text)


def first_cells(page: str, title: str) -> set[str]:
    """Return what the first column of the table with this title in its head names."""
    table = re.search(rf"^{title} .*\n=+ .*\n(?P<rows>(?:.+\n)+?)=+ ", page, flags=re.MULTILINE)
    assert table, title
    return set(re.findall(r"^``(.+?)``", table["rows"], flags=re.MULTILINE))


def options_of(command: BaseCommand) -> set[str]:
    parser = command.create_parser("manage.py", "command")
    return {option for action in parser._actions for option in action.option_strings if option.startswith("--")}


def found(pattern: str, sources: Iterable[str]) -> set[str]:
    return {name for source in sources for name in re.findall(pattern, source)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_command_is_there_with_its_options(path: Path) -> None:
    package = ".".join(path.relative_to(ROOT).parts[:-3])
    own = options_of(load_command_class(package, path.stem)) - options_of(BaseCommand())
    assert own - set(re.findall(r"--[a-z-]+", section(path.stem))) == set()


def test_no_option_is_there_that_no_command_has() -> None:
    commands = [load_command_class(".".join(path.relative_to(ROOT).parts[:-3]), path.stem) for path in FILES]
    known = set().union(*map(options_of, commands)) | {"--extra"}
    assert set(re.findall(r"--[a-z]+(?:-[a-z]+)*", COMMANDS)) - known == set()


def test_findings_of_the_doctor() -> None:
    core_probes.connect(topic="topic")
    assert first_cells(COMMANDS, "Finding") == set(doctor.registry._probes)
    assert set(re.findall(r"finding\s+``([^`]+)``", SYMPTOMS)) <= set(doctor.registry._probes)


def test_custom_attributes() -> None:
    named = found(r'set_custom_attribute\("(\w+)"', SOURCES.values())
    assert first_cells(COMMANDS, "Attribute") == named


def test_lines_of_the_log() -> None:
    everything = "".join(SOURCES.values())
    assert [line for line in first_cells(COMMANDS, "The line has") if line not in everything] == []


def test_messages_on_the_page_of_symptoms() -> None:
    """What somebody sees and looks for there is what the programs say."""
    tutor = [path for path in (ROOT / "tutor_badges").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    texts = [*SOURCES.values(), *(path.read_text(encoding="utf-8") for path in tutor)]
    # A text that is written on several lines of the source
    said = re.sub(r'"\s*\n\s*f?"', "", "\n".join(texts))
    shown = {" ".join(text.split()) for text in re.findall(r"``([^`]+)``", SYMPTOMS) if " " in text}
    commands = ("manage.py ", "tutor ", "k8s ", "local ", "kubectl ", *(f"{path.stem} " for path in FILES))
    assert [text for text in sorted(shown - FOREIGN) if not text.startswith(commands) and text not in said] == []


def test_the_settings_that_the_built_in_app_cannot_do_without() -> None:
    """From Sumac on, ``credentials.apps.badges`` reads them in its models and checks, and has no defaults."""
    example = SETTINGS.partition(":caption: the service's YAML file")[2].partition("\n\n``events``")[0]
    given = yaml.safe_load(textwrap.dedent(example))["BADGES_CONFIG"]
    assert tuple(given["events"]) == conf.DEFAULT_EVENTS
    addresses = [f"CREDLY_{which}BASE_URL" for which in ("", "API_", "SANDBOX_", "SANDBOX_API_")]
    assert given["credly"] == {name: credly_conf._DEFAULTS[name] for name in [*addresses, "USE_SANDBOX"]}


def test_system_checks() -> None:
    providers = ("credly_badges", "accredible_badges")
    ids = found(r'id="(\w+\.[EW]\d+)"', SOURCES.values())
    shared = found(r'id=f"\{app_label\}(\.[EW]\d+)"', SOURCES.values())
    assert first_cells(SETTINGS, "Number") == ids | {f"{app}{number}" for app in providers for number in shared}


def test_the_contract_of_a_backend() -> None:
    members = {**vars(Hooks), **vars(Backend)}
    methods = {name for name, value in members.items() if callable(value) and not name.startswith("_")}
    assert first_cells(HOWTO, "Method") == methods - {"deliver", "deliver_many"}


def test_files_that_the_documentation_names_exist() -> None:
    pages = [*ROOT.glob("*.rst"), *(ROOT / "docs").rglob("*.rst")]
    named = found(r"``((?:tests|docs|sandbox|badges_plugin|tutor_badges)/[\w./-]+)", map(Path.read_text, pages))
    assert [path for path in sorted(named) if path != "docs/_build/html" and not (ROOT / path).exists()] == []


def test_the_lines_of_a_guide_fit_the_code() -> None:
    """What a guide adds is not there yet, and the lines around it are."""
    guide = (ROOT / "docs/howto/add-an-operator.rst").read_text(encoding="utf-8")
    blocks = re.findall(r"code-block:: diff\n   :caption: (\S+)\n\n((?:   .*\n|\n)+)", guide)
    assert len(blocks) == guide.count("code-block:: diff") > 0
    for name, block in blocks:
        source = SOURCES[ROOT / name]
        for hunk in textwrap.dedent(block).strip("\n").split("@@\n"):
            lines = [(line[:1], line[1:]) for line in hunk.splitlines()]
            before, after = ("\n".join(text for sign, text in lines if sign != gone) for gone in "+-")
            assert (before in source, after in source) == (True, False), f"{name}:\n{hunk}"


def test_the_guide_for_contributors_has_the_targets_of_the_makefile() -> None:
    guide, makefile = ((ROOT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.rst", "Makefile"))
    named = {name.removeprefix("make").strip() or "help" for name in first_cells(guide, "Command")}
    assert named == set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, flags=re.MULTILINE))
