"""A backend that is installed as a distribution of its own delivers, and nothing in this repository knows of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.example_backend.provider import MedalsProvider

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "tests" / "example_backend"
HOWTO = ROOT / "docs" / "howto" / "write-a-backend.rst"

_CODE = re.compile(r"^\.\. code-block:: \w+\n +:caption: (?P<file>\S+)\n\n(?P<code>(?:(?: {3}.*)?\n)+)", re.MULTILINE)


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


@pytest.mark.standin
@pytest.mark.slow
def test_from_the_event_to_the_provider(installed: Path, tmp_path: Path) -> None:
    environment = _environment(installed, f"sqlite:///{tmp_path / 'db.sqlite3'}", tmp_path)
    manage = [sys.executable, str(ROOT / "sandbox" / "manage.py")]
    with MedalsProvider() as provider:
        environment["BADGES_CONFIG_JSON"] = json.dumps({"medals": provider.settings})
        _must_succeed([*manage, "makemigrations", "--check", "--dry-run", "medals"], environment)
        _must_succeed([*manage, "migrate", "--verbosity=0"], environment)
        _must_succeed([sys.executable, "-m", "tests.example_backend.earn"], environment)
        assert provider.medals == {}
        out = _must_succeed([*manage, "deliver_badges", "--once"], environment)

    [medal] = provider.medals.values()
    assert (medal["medal"], medal["email"], medal["state"]) == ("hero", "nia@example.org", "valid")
    assert "Deliveries: 1 done." in out


@pytest.mark.standin
@pytest.mark.slow
def test_f14_the_doctor_examines_checks_and_migrations_of_a_backend_from_elsewhere(
    installed: Path, tmp_path: Path
) -> None:
    environment = _environment(installed, f"sqlite:///{tmp_path / 'db.sqlite3'}", tmp_path)
    manage = [sys.executable, str(ROOT / "sandbox" / "manage.py")]
    environment["BADGES_CONFIG_JSON"] = json.dumps({"medals": {"API_KEY": "key"}})
    _must_succeed([*manage, "migrate", "--verbosity=0"], environment)
    _must_succeed([*manage, "migrate", "--verbosity=0", "medals", "zero"], environment)
    found = _doctor(manage, environment | {"BADGES_CONFIG_JSON": "{}"})
    assert ("settings", "error", "There is no API key of Medals. (medals.E001)") in found
    assert ("migrations", "error", "1 migrations of badges are not applied (medals).") in found

    _must_succeed([*manage, "migrate", "--verbosity=0"], environment)
    found = _doctor(manage, environment)
    assert {("settings", "ok"), ("migrations", "ok")} <= {(probe, level) for probe, level, _ in found}


def _doctor(manage: list[str], environment: Mapping[str, str]) -> list[tuple[str, str, str]]:
    command = [*manage, "badges_doctor", "--reach", "database", "--json"]
    run = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=170, check=False
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return [(line["probe"], line["level"], line["what"]) for line in lines]


def test_the_how_to_shows_the_example_as_it_is() -> None:
    shown = [(found["file"], found["code"]) for found in _CODE.finditer(HOWTO.read_text("utf-8"))]

    assert len(shown) == 10
    for name, code in shown:
        unindented = "\n".join(line[3:] for line in code.strip("\n").split("\n"))
        assert unindented in (EXAMPLE / name).read_text("utf-8"), name
