"""Build ``openedx-badges-tutor`` (PEP 517): the Tutor plugin, and the wheel that it installs in the Credentials image.

Setuptools builds from a folder that holds everything. This one is below the code, which also belongs to the
distribution of the repository, so each build puts a complete folder together elsewhere and leaves nothing behind in the
checkout. A source distribution is such a complete folder.

There is no editable install of it: in the folder of the repository, ``pip install --no-deps --editable .`` gives Tutor
the plugin.
"""

from __future__ import annotations

import configparser
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from setuptools import build_meta

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
PLUGIN = "tutor_badges"
# What both distributions say about themselves.
SHARED = ("version", "author", "maintainer", "license", "license_files", "project_urls")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.py[cod]", ".*", "build", "dist", "*.egg-info")


def build_wheel(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """Build a wheel; return its file name."""
    target = str(Path(wheel_directory).resolve())
    with _complete_folder():
        return str(build_meta.build_wheel(target, config_settings))


def build_sdist(sdist_directory: str, config_settings: dict[str, Any] | None = None) -> str:
    """Build a source distribution; return its file name."""
    target = str(Path(sdist_directory).resolve())
    with _complete_folder():
        return str(build_meta.build_sdist(target, config_settings))


@contextmanager
def _complete_folder() -> Iterator[None]:
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="openedx-badges-tutor-") as temporary:
        folder = Path(temporary, "source")
        shutil.copytree(HERE, folder, ignore=None if (HERE / PLUGIN).exists() else LEFT_OUT)
        if not (folder / PLUGIN).exists():
            gather(folder)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def gather(folder: Path) -> None:
    """Add to ``folder`` what the repository has for this distribution."""
    repository = _read(REPOSITORY / "setup.cfg")
    shutil.copy(REPOSITORY / "LICENSE.txt", folder)
    shutil.copytree(REPOSITORY / PLUGIN, folder / PLUGIN, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    ours = _read(folder / "setup.cfg")
    ours["metadata"].update({name: repository["metadata"][name] for name in SHARED if name in repository["metadata"]})
    with (folder / "setup.cfg").open("w", encoding="utf-8") as file:
        ours.write(file)
    sys.path.insert(0, str(folder))
    # There since it was copied.
    from tutor_badges import package

    entry_points = repository["options.entry_points"][package.ENTRY_POINT_GROUP].strip().splitlines()
    release = package.Release(
        repository["metadata"]["version"],
        tuple(repository["options"]["install_requires"].strip().splitlines()),
        tuple((name.strip(), value.strip()) for name, _, value in (line.partition("=") for line in entry_points)),
    )
    package.write_wheel(folder / PLUGIN / package.SHIPPED.name, release, REPOSITORY / package.PACKAGE)


def _read(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    return parser
