"""What a newcomer meets first: links lead somewhere, here and on a package index, and the demo prints what is shown."""

from __future__ import annotations

import ast
import re
import runpy
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from docutils import nodes
from docutils.core import publish_doctree

from sandbox.demo.state import Standing
from sandbox.demo.story import _show

ROOT = Path(__file__).resolve().parents[2]
RST = [ROOT / name for name in ("README.rst", "CONTRIBUTING.rst", "CHANGELOG.rst")]
MARKDOWN = [*ROOT.glob("*.md"), *(ROOT / ".github").rglob("*.md")]
FORMS = [path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"]
SOURCE = "https://git.example.org/badges"
STORY = ast.parse("".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "sandbox/demo").glob("*.py"))))
README = (ROOT / "README.rst").read_text(encoding="utf-8")
TUTORIAL = (ROOT / "docs/tutorial.rst").read_text(encoding="utf-8")

for_an_index: Callable[[str, str], str] = runpy.run_path(str(ROOT / "setup.py"))["for_an_index"]


def parsed(text: str) -> nodes.document:
    """Parse reStructuredText as an index does: whatever docutils complains about is an error."""
    return publish_doctree(text, settings_overrides={"halt_level": 2, "report_level": 5, "raw_enabled": False})


def targets(text: str) -> set[str]:
    """Return what links and pictures lead to, without places in the same text."""
    document = parsed(text)
    found = [node.get("refuri") for node in document.findall(nodes.reference)]
    return {address for address in [*found, *(node["uri"] for node in document.findall(nodes.image))] if address}


@pytest.mark.parametrize("path", [*RST, *MARKDOWN], ids=lambda path: path.name)
def test_links_lead_to_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = targets(text) if path.suffix == ".rst" else set(re.findall(r"\]\(([^)]+)\)", text))
    missing = {target for target in found if not re.match(r"\w+:|#", target) and not (path.parent / target).exists()}
    assert missing == set()


def test_on_an_index_links_lead_to_the_repository() -> None:
    here = {target for target in targets(README) if "://" not in target}
    there = {target for target in targets(for_an_index(README, SOURCE)) if target.startswith(SOURCE)}
    assert {re.sub(r"/(blob|tree|raw)/HEAD/", "/", target) for target in there} == {f"{SOURCE}/{path}" for path in here}


def test_without_an_address_an_index_shows_no_dead_links() -> None:
    alone = for_an_index(README, "")
    assert [target for target in targets(alone) if "://" not in target] == []
    assert "Set up a badge".lower() in alone


def pattern(text: ast.Constant | ast.JoinedStr) -> str:
    """Return a pattern of what a text prints, each value in it being anything."""
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else r".+" for part in parts)


PRINTED = [
    re.compile(line)
    for node in ast.walk(STORY)
    if isinstance(node, ast.Constant | ast.JoinedStr)
    for line in re.split(r"\n|\\\n", pattern(node))
    if len(line) > 15
]
STANDINGS = [
    Standing(*(str(ast.literal_eval(word)) for word in node.args))
    for node in ast.walk(STORY)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Standing" and node.args
]


@pytest.mark.parametrize("page", [README, TUTORIAL], ids=["README", "tutorial"])
def test_the_demo_prints_what_is_shown_of_it(page: str, capsys: Any) -> None:
    text = textwrap.dedent(re.split(r"\n(?=\S)", page[page.index("    Ada passes ") :], maxsplit=1)[0])
    is_row = re.compile(r"  (?:learner|ada|bob) .+")
    for line in text.splitlines():
        if line and not is_row.fullmatch(line):
            assert any(each.fullmatch(line) for each in PRINTED), f"the demo does not print: {line}"
    tables = re.findall(rf"(?:^{is_row.pattern}\n)+", text, flags=re.MULTILINE)
    assert tables
    for table in tables:
        _, *cells = [re.split(r"\s{2,}", row.strip()) for row in table.splitlines()]
        standings = {name: Standing(*values) for name, *values in cells}
        assert [standing for standing in standings.values() if standing not in STANDINGS] == []
        _show(standings)
        assert capsys.readouterr().out == table


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_forms_for_issues_are_as_github_wants_them(path: Path) -> None:
    """https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests"""
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form.keys() >= {"name", "description", "body"}
    fields = [element for element in form["body"] if element["type"] != "markdown"]
    assert {element["type"] for element in fields} <= {"input", "textarea", "dropdown", "checkboxes"}
    for name in ("id", "label"):
        values = [element["attributes"]["label"] if name == "label" else element[name] for element in fields]
        assert len(values) == len(set(values))
    choices = [element for element in fields if element["type"] in {"dropdown", "checkboxes"}]
    assert all(element["attributes"].get("options") for element in choices)
