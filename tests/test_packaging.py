"""What is published, and what others run: two distributions of one version, and the workflows of GitHub."""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.tutor.environments import OLDEST_PYTHON, RELEASES

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z0-9_-]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def setup(path: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / path)
    return parser


def jobs(workflow: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows" / workflow).read_text())["jobs"]
    return found


def test_t10_the_distribution_for_tutor_asks_for_nothing_that_tutor_has_not() -> None:
    ours, light = setup("setup.cfg"), setup("distributions/tutor/setup.cfg")
    (needed,) = map(Requirement, light["options"]["install_requires"].strip().splitlines())
    assert needed.name == "tutor"
    assert needed in map(Requirement, ours["options.extras_require"]["tutor"].strip().splitlines())
    assert all(f"{release}.0.0" in needed.specifier for release in RELEASES)
    pythons = SpecifierSet(light["options"]["python_requires"])
    assert all(OLDEST_PYTHON[release] in pythons for release in RELEASES)
    # The same plugin, and no version of its own.
    group = "tutor.plugin.v1"
    assert light["options.entry_points"][group] == ours["options.entry_points"][group]
    assert "version" not in light["metadata"]


@pytest.mark.parametrize(
    "path",
    [*WORKFLOWS, ROOT / ".ci/run", ROOT / ".pre-commit-config.yaml", ROOT / "docs/releasing.rst"],
    ids=lambda path: path.name,
)
def test_what_others_run_are_targets_of_the_makefile(path: Path) -> None:
    text = re.sub(r"(?m)^\s*#.*", "", path.read_text()).replace("${{ matrix.database }}", "postgres")
    named = set(re.findall(r'(?:\bmake|"\$\{make\[@\]\}") ([a-z][a-z0-9-]*)', text))
    assert named
    assert named - TARGETS == set()


def test_ci_tries_every_release_database_and_python_that_is_supported() -> None:
    ci = jobs("ci.yml")
    readme = (ROOT / "README.rst").read_text()
    table = re.search(r"^Open edX +Django .*\n=+ .*\n((?:.+\n)+?)=+ ", readme, flags=re.MULTILINE)
    assert table
    releases = {line.split()[0] for line in table[1].splitlines() if not line.startswith(" ")}
    assert {row["release"] for row in ci["host"]["strategy"]["matrix"]["include"]} == releases
    databases = {row["database"] for row in ci["database"]["strategy"]["matrix"]["include"]}
    assert {f"test-{name}" for name in databases} == {"test-mysql", "test-mariadb", "test-postgres"} & TARGETS
    classifiers = setup("setup.cfg")["metadata"]["classifiers"]
    assert set(ci["test"]["strategy"]["matrix"]["python"]) == set(re.findall(r"Python :: (3\.\d+)", classifiers))
