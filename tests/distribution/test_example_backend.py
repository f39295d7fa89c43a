"""A backend that is installed as a distribution of its own delivers, and nothing in this repository knows of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.example_backend.provider import MedalsProvider
from tests.migrated import database as kept_database

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "tests" / "example_backend"
HOWTO = ROOT / "docs" / "howto" / "write-a-backend.rst"

_CODE = re.compile(r"^\.\. code-block:: \w+\n +:caption: (?P<file>\S+)\n\n(?P<code>(?:(?: {3}.*)?\n)+)", re.MULTILINE)

_COMMANDS = """
import contextlib, json, sys
import django
django.setup()
from django.core.management import call_command
for name, *arguments in json.loads(sys.argv[1]):
    with contextlib.suppress(SystemExit) if name == "badges_doctor" else contextlib.nullcontext():
        call_command(name, *arguments)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where pip has installed the example, from a copy, without a network."""
    if find_spec("pip") is None or find_spec("setuptools") is None:
        pytest.skip("pip and setuptools are not in this environment")
    source, target = tmp_path_factory.mktemp("source") / "example", tmp_path_factory.mktemp("installed")
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__", "suite.py", "provider.py", "earn.py"))
    (source / "__init__.py").unlink()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    _must_succeed([*pip, "--no-build-isolation", "--target", str(target), str(source)], {})
    return target


def _must_succeed(command: list[str], environment: Mapping[str, str]) -> str:
    # What the pytest around us has set is not meant for the one that may be inside.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    run = subprocess.run(
        command, cwd=ROOT, env={**inherited, **environment}, capture_output=True, text=True, timeout=170, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def _environment(installed: Path, database: str, folder: Path) -> dict[str, str]:
    return {
        "PYTHONPATH": os.pathsep.join([str(installed), str(ROOT)]),
        "DATABASE_URL": database,
        "BADGES_SANDBOX_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "sandbox.settings",
    }


@pytest.mark.long
@pytest.mark.standin
@pytest.mark.slow
def test_the_inherited_suites_pass(installed: Path, tmp_path: Path) -> None:
    suite = str(EXAMPLE / "suite.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", suite]
    out = _must_succeed(command, _environment(installed, "sqlite://:memory:", tmp_path))

    passed = re.search(r"(\d+) passed", out)
    assert passed, out
    assert int(passed.group(1)) > 60
    assert "skipped" not in out


@pytest.fixture(scope="module")
def migrated(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with all tables, those of the example among them; each test copies it."""
    folder = tmp_path_factory.mktemp("migrated")
    database = Path(shutil.copy(kept_database(), folder / "db.sqlite3"))
    _run(_environment(installed, f"sqlite:///{database}", folder), ["migrate"])
    return database


@pytest.mark.long
@pytest.mark.standin
@pytest.mark.slow
def test_from_the_event_to_the_provider(installed: Path, migrated: Path, tmp_path: Path) -> None:
    environment = _environment(installed, f"sqlite:///{shutil.copy(migrated, tmp_path)}", tmp_path)
    with MedalsProvider() as provider:
        environment["BADGES_CONFIG_JSON"] = json.dumps({"medals": provider.settings})
        _must_succeed([sys.executable, "-m", "tests.example_backend.earn"], environment)
        assert provider.medals == {}
        out = _run(environment, ["makemigrations", "--check", "--dry-run", "medals"], ["deliver_badges", "--once"])

    [medal] = provider.medals.values()
    assert (medal["medal"], medal["email"], medal["state"]) == ("hero", "nia@example.org", "valid")
    assert "Deliveries: 1 done." in out


@pytest.mark.long
@pytest.mark.standin
@pytest.mark.slow
def test_f14_the_doctor_examines_checks_and_migrations_of_a_backend_from_elsewhere(
    installed: Path, migrated: Path, tmp_path: Path
) -> None:
    environment = _environment(installed, f"sqlite:///{shutil.copy(migrated, tmp_path)}", tmp_path)
    examine = ["badges_doctor", "--reach", "database", "--json"]
    environment["BADGES_CONFIG_JSON"] = "{}"
    found = _findings(_run(environment, ["migrate", "medals", "zero"], examine))
    assert ("settings", "error", "There is no API key of Medals. (medals.E001)") in found
    assert ("migrations", "error", "1 migrations of badges are not applied (medals).") in found

    environment["BADGES_CONFIG_JSON"] = json.dumps({"medals": {"API_KEY": "key"}})
    found = _findings(_run(environment, ["migrate"], examine))
    assert {("settings", "ok"), ("migrations", "ok")} <= {(probe, level) for probe, level, _ in found}


def _run(environment: Mapping[str, str], *commands: Sequence[str]) -> str:
    """Run commands of manage.py in one process, and return what they print; a doctor may find fault."""
    return _must_succeed([sys.executable, "-c", _COMMANDS, json.dumps(commands)], environment)


def _findings(printed: str) -> list[tuple[str, str, str]]:
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return [(line["probe"], line["level"], line["what"]) for line in lines]


def test_the_how_to_shows_the_example_as_it_is() -> None:
    shown = [(found["file"], found["code"]) for found in _CODE.finditer(HOWTO.read_text("utf-8"))]

    assert len(shown) == 10
    for name, code in shown:
        unindented = "\n".join(line[3:] for line in code.strip("\n").split("\n"))
        assert unindented in (EXAMPLE / name).read_text("utf-8"), name
