"""An operator's first minutes, and their last: install, enable, save, list, disable."""

from __future__ import annotations

import email
import filecmp
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.tutor.environments import NEWEST, OLDEST_PYTHON, RELEASES, REPOSITORY, tutor, uv, variables
from tutor_badges import package


class Operator:
    """Somebody with an environment of their own and an empty Tutor root."""

    def __init__(self, environment: Path, root: Path, release: int | None = None) -> None:
        """Without a ``release`` nothing is kept for Tutor's programs: all is done as on the operator's machine."""
        self.variables = variables(release) if release else dict(os.environ)
        self.environment = environment
        self.root = root

    def tutor(self, *arguments: str, succeeds: bool = True) -> str:
        """Run Tutor and return all that it prints."""
        environment = {
            **self.variables,
            "TUTOR_ROOT": str(self.root),
            "TUTOR_PLUGINS_ROOT": str(self.root / "plugins"),
        }
        program = self.environment / "bin" / "tutor"
        finished = subprocess.run(
            [program, *arguments], env=environment, cwd=self.root.parent, capture_output=True, text=True, check=False
        )
        printed = finished.stdout + finished.stderr
        assert (finished.returncode == 0) == succeeds, printed
        return printed


@pytest.fixture
def operator(release: int, tmp_path: Path) -> Operator:
    return Operator(tutor(release), tmp_path / "root", release)


ENABLE = ("plugins", "enable", "mfe", "discovery", "credentials", "badges")


@pytest.fixture(scope="module")
def first_steps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the Tutor root of an operator who has enabled badges in the newest release, and what Tutor printed."""
    operator = Operator(tutor(NEWEST), tmp_path_factory.mktemp("enabled") / "root", NEWEST)
    return operator.root, operator.tutor(*ENABLE)


@pytest.fixture
def enabled(first_steps: tuple[Path, str], tmp_path: Path) -> Operator:
    """Return such an operator, with a root that the test may change."""
    root, _ = first_steps
    return Operator(tutor(NEWEST), Path(shutil.copytree(root, tmp_path / "root")), NEWEST)


def different(left: Path, right: Path) -> list[str]:
    """Return the files that are in one folder only, or have different contents."""
    comparison = filecmp.dircmp(left, right, ignore=[])
    names = [*comparison.left_only, *comparison.right_only, *comparison.diff_files]
    return names + [name for each in comparison.common_dirs for name in different(left / each, right / each)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of the distribution for Tutor's environment, built as a release is: from its sources."""
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--quiet", "--out-dir", folder, REPOSITORY / "distributions" / "tutor")
    (wheel,) = folder.glob("openedx_badges_tutor-*.whl")
    return wheel


def python(version: str) -> Path:
    """Return the program of this Python, from pyenv or the search path. Skips if the machine lacks it."""
    kept = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [*kept.glob(f"{version}.*/bin/python"), *map(Path, filter(None, [shutil.which(f"python{version}")]))]
    if not found:
        pytest.skip(f"Python {version} is missing")
    return found[0]


@pytest.mark.long
@pytest.mark.parametrize("oldest", [False, True], ids=["python", "oldest-python"])
@pytest.mark.parametrize("release", sorted(RELEASES))
def test_t10_one_package_more_beside_tutor_and_two_commands(
    wheel: Path, release: int, oldest: bool, tmp_path: Path
) -> None:
    """From the wheel, in a fresh environment, as it would come from an index."""
    environment, root = tmp_path / "venv", tmp_path / "root"

    def packages() -> set[str]:
        listed = uv("pip", "list", "--quiet", "--python", environment / "bin/python", "--format", "json")
        return {each["name"] for each in json.loads(listed)}

    def install(*requirements: str | Path) -> None:
        uv("pip", "install", "--quiet", "--python", environment / "bin/python", *requirements)

    tutor_alone, *its_plugins = RELEASES[release]
    uv("venv", "--quiet", "--python", python(OLDEST_PYTHON[release]) if oldest else sys.executable, environment)
    install(tutor_alone)
    before = packages()
    install(wheel)
    assert packages() - before == {"openedx-badges-tutor"}
    install(*its_plugins)
    operator = Operator(environment, root)
    operator.tutor(*ENABLE)
    operator.tutor("config", "save")
    listed = [line.split() for line in operator.tutor("plugins", "list").splitlines()]
    (line,) = [line for line in listed if line and line[0] == "badges"]
    assert "enabled" in line
    assert line[-1] == wheel.name.split("-")[1] == package.version()
    # Patches and templates came along, and the wheel for the image.
    assert "consume_events" in (root / "env/local/docker-compose.yml").read_text()
    assert package.wheel_name() in (root / "env" / package.DOCKERFILE).read_text()
    in_image = zipfile.ZipFile(root / "env" / package.BUILD_CONTEXT / package.wheel_name())
    made_here = zipfile.ZipFile(package.write_wheel(tmp_path, package.installed(), REPOSITORY / package.PACKAGE))
    assert in_image.namelist() == made_here.namelist()
    (information,) = [name for name in in_image.namelist() if name.endswith("/METADATA")]
    assert requirements(in_image.read(information)) == requirements(made_here.read(information))
    operator.tutor("plugins", "disable", "badges")
    assert not (root / "env" / package.BUILD_CONTEXT).exists()


def requirements(information: bytes) -> set[Requirement]:
    needed = email.message_from_bytes(information).get_all("Requires-Dist", [])
    assert needed
    return set(map(Requirement, needed))


def test_disabling_leaves_no_trace_in_the_environment(operator: Operator, tmp_path: Path) -> None:
    operator.tutor("plugins", "enable", "mfe", "discovery", "credentials")
    operator.tutor("config", "save")
    before = tmp_path / "before"
    (operator.root / "env").rename(before)
    operator.tutor("plugins", "enable", "badges")
    assert different(before, operator.root / "env")
    operator.tutor("plugins", "disable", "badges")
    assert different(before, operator.root / "env") == []
    assert "BADGES" not in (operator.root / "config.yml").read_text()


@pytest.mark.long
def test_without_the_credentials_plugin_nothing_is_rendered_and_the_remedy_is_named(operator: Operator) -> None:
    printed = operator.tutor("plugins", "enable", "badges", succeeds=False)
    assert "Error: The badges plugin needs the credentials plugin" in printed
    assert "Traceback" not in printed
    assert not (operator.root / "env").exists()
    # Either remedy works.
    operator.tutor("plugins", "enable", "mfe", "discovery", "credentials")
    printed = operator.tutor("plugins", "disable", "credentials", succeeds=False)
    assert "Error: The badges plugin needs the credentials plugin" in printed
    operator.tutor("plugins", "disable", "badges")


def test_enabling_gives_advice_once(first_steps: tuple[Path, str]) -> None:
    _, printed = first_steps
    assert printed.count("Compare the costs") == 1


def test_t14_a_mistake_stops_before_anything_is_rendered(enabled: Operator) -> None:
    before = (enabled.root / "env/local/docker-compose.yml").read_bytes()
    printed = enabled.tutor("config", "save", "--set", "BADGES_CREDLY_ORGANIZATIONS=[1]", succeeds=False)
    assert "Error: BADGES_CREDLY_ORGANIZATIONS" in printed
    assert (enabled.root / "env/local/docker-compose.yml").read_bytes() == before


@pytest.mark.long
def test_t14_a_mistake_in_the_settings_stops_nothing_but_saving(enabled: Operator) -> None:
    """The value is in config.yml by the time that it is refused, and the platform is still there to be looked at."""
    printed = enabled.tutor("config", "save", "--set", "BADGES_EVENT_BUS=rabbitmq", succeeds=False)
    assert "<function" not in printed
    # A command that only reads: it alerts, and does what it was asked for.
    printed = enabled.tutor("config", "printvalue", "LMS_HOST")
    assert "BADGES_EVENT_BUS must be" in printed
    assert "Error" not in printed
    # If it cannot be fixed, the plugin can still be disabled. It is refused again when it is enabled.
    enabled.tutor("plugins", "disable", "badges")
    enabled.tutor("plugins", "enable", "badges", succeeds=False)
    printed = enabled.tutor("config", "save", "--unset", "BADGES_EVENT_BUS")
    assert "BADGES_EVENT_BUS must be" not in printed


def test_t6_a_change_of_the_bus_says_what_stays_on_the_old_one(enabled: Operator) -> None:
    printed = enabled.tutor("config", "save", "--set", "BADGES_EVENT_BUS=redis")
    assert "stay on Kafka" in " ".join(printed.split())
    assert "stay on Kafka" not in " ".join(enabled.tutor("config", "save").split())


def test_t7_images_of_ours_come_from_a_registry_of_ones_own_under_both_versions(enabled: Operator) -> None:
    enabled.tutor("config", "save", "--set", "BADGES_DOCKER_REGISTRY=registry.example.com/")
    deployments = (enabled.root / "env/k8s/deployments.yml").read_text()
    version = package.version()
    assert (
        f"image: registry.example.com/overhangio/openedx-credentials:{NEWEST}.0.0-badges{version}-kafka" in deployments
    )
    assert f"image: registry.example.com/overhangio/openedx:{NEWEST}.0.3-badges{version}-kafka" in deployments
    assert "image: docker.io/overhangio/openedx-mfe:" in deployments


def test_an_upgrade_without_config_save_builds_no_image_of_the_old_code(operator: Operator) -> None:
    operator.tutor(*ENABLE)
    dockerfile = operator.root / "env" / package.DOCKERFILE
    current = dockerfile.read_text()
    dockerfile.write_text(current.replace(package.wheel_name(), "openedx_badges_plugin-0.0.1-py3-none-any.whl"))
    assert "`tutor config save`" in operator.tutor("images", "build", "credentials", succeeds=False)
    operator.tutor("config", "save")
    assert dockerfile.read_text() == current
