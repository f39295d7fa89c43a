"""Fixtures of renderings, which are made once for a test run, however many processes it has."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tutor import combinations, environments
from tests.tutor.machines import Machine, Machines, set_up
from tests.tutor.rendering import Rendering, render_once

Rendered = Callable[..., Rendering]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this test run have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def rendered(shared_folder: Path) -> Rendered:
    """Return a function of Tutor release and name of a configuration (see combinations.py)."""

    def get(release: int, name: str) -> Rendering:
        folder = shared_folder / "rendered" / str(release)
        render_once(release, folder, combinations.ALL, badges=True)
        return Rendering(release, folder / name)

    return get


@pytest.fixture(scope="session")
def rendered_without_badges(shared_folder: Path) -> Rendered:
    """Return a function of Tutor release: the same deployment without the plugin."""

    def get(release: int) -> Rendering:
        folder = shared_folder / "rendered-without" / str(release)
        render_once(release, folder, {"plain": {}}, badges=False)
        return Rendering(release, folder / "plain")

    return get


@pytest.fixture
def machine(rendered: Rendered, tmp_path: Path) -> Machines:
    """Return a function of Tutor release and configuration: a machine that only records the programs it would start."""

    def make(release: int, name: str) -> Machine:
        return set_up(release, rendered(release, name).root, tmp_path / "tutor")

    return make


@pytest.fixture(
    params=[
        pytest.param(release, marks=[] if release == environments.NEWEST else pytest.mark.long)
        for release in sorted(environments.RELEASES)
    ],
    ids=lambda release: f"tutor{release}",
)
def release(request: pytest.FixtureRequest) -> int:
    """Every supported Tutor release: in ``make test`` the newest, in ``make test-long`` the others."""
    major: int = request.param
    return major
