"""A virtual environment with what a checkout of the Credentials service pins, and this plugin with its tests.

Our requirements are resolved under the checkout's pins, so a plugin that cannot be installed into that release
fails here. A pin changes only where the plugin asks for a newer version than the release has, and then no further
than it asks: that is what an operator of that release has to upgrade.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".cache" / "hosts"

PINS = "requirements/base.txt"
OURS = (REPOSITORY / "requirements" / "test.in", REPOSITORY / "setup.cfg")
MYSQL = REPOSITORY / "requirements" / "mysql.in"

# A package index cannot serve a git URL. Of those that the releases name, this one is on the index, too, in the
# same version; the other one holds themes, which no test needs.
_ON_THE_INDEX = {"edx-event-bus-redis"}
# Built from source. Only the tests on MySQL need it, and they install it.
_LEFT_OUT = {"mysqlclient"}

_GIT_URL = re.compile(r"^(?P<name>[\w.-]+) @ git\+\S+@v?(?P<version>[\w.]+)$")
_PIN = re.compile(r"^(?P<name>[\w.-]+)(\[[^]]*\])?==(?P<version>[^ ;]+)")


def installable(lines: Iterable[str]) -> list[str]:
    """Return the pins that a package index can serve, with their markers, from the lines of a compiled file."""
    pins = []
    for line in lines:
        requirement = line.partition(" #")[0].strip()
        if address := _GIT_URL.match(requirement):
            if address["name"] in _ON_THE_INDEX:
                pins.append(f"{address['name']}=={address['version']}")
        elif (pin := _PIN.match(requirement)) and pin["name"] not in _LEFT_OUT:
            pins.append(requirement)
    return pins


def lifted(pins: Iterable[str], requirements: Iterable[str]) -> list[str]:
    """Return ``pins`` with those that ``requirements`` exclude raised to the lower bound that does."""
    ours = {
        canonicalize_name(requirement.name): requirement.specifier for requirement in map(Requirement, requirements)
    }
    result = []
    for text in pins:
        pin = _PIN.match(text)
        bounds = ours.get(canonicalize_name(pin["name"])) if pin else None
        if pin and bounds is not None and not bounds.contains(pin["version"], prereleases=True):
            lowest = max((Version(bound.version) for bound in bounds if bound.operator == ">="), default=None)
            if lowest is None or lowest < Version(pin["version"]):
                raise ValueError(f"{text} is newer than the plugin allows ({bounds}).")
            result.append(f"{pin['name']}=={lowest}")
        else:
            result.append(text)
    return result


def python_for(checkout: Path, *, mysql: bool) -> Path:
    """Return the Python of the checkout's virtual environment, made again when a requirement has changed.

    Raises CalledProcessError when something cannot be installed; the environment is then not kept.
    """
    with (checkout / PINS).open(encoding="utf-8") as lines:
        pins = lifted(installable(lines), _install_requires())
    ours = (*OURS, MYSQL) if mysql else OURS
    # One folder for each set of the checkout's pins; its last file tells what else went into it.
    folder = CACHE / _digest([*pins, str(mysql)])
    python = folder / "bin" / "python"
    complete = folder / "complete"
    contents = _digest([sys.version, *pins, *(path.read_text(encoding="utf-8") for path in ours)])
    if complete.exists() and complete.read_text(encoding="utf-8") == contents:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    _run(sys.executable, "-m", "venv", str(folder))
    (folder / "pins.txt").write_text("\n".join(pins) + "\n", encoding="utf-8")
    _install(python, "-r", str(folder / "pins.txt"))
    requirements = [argument for path in ours if path.suffix == ".in" for argument in ("-r", str(path))]
    _install(python, "-c", str(folder / "pins.txt"), *requirements, "-e", str(REPOSITORY))
    complete.write_text(contents, encoding="utf-8")
    return python


def _install_requires() -> list[str]:
    metadata = configparser.ConfigParser()
    metadata.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    return metadata["options"]["install_requires"].strip().splitlines()


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _install(python: Path, *arguments: str) -> None:
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv:
        _run(uv, "pip", "install", "--quiet", "--python", str(python), *arguments)
    else:
        _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, cwd=REPOSITORY)
