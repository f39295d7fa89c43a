"""From one release of Tutor to the next, in the environment of the one before."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tutor.environments import NEWEST, tutor
from tests.tutor.rendering import render
from tests.tutor.test_installation import Operator
from tutor_badges import package

BEFORE = NEWEST - 1
REGISTRY = "registry.example.com/"
CREDENTIALS, OPENEDX = "CREDENTIALS_DOCKER_IMAGE", "DOCKER_IMAGE_OPENEDX"
PINNED = {CREDENTIALS: f"{REGISTRY}openedx-credentials:badges-1", OPENEDX: f"{REGISTRY}openedx:badges-1"}


def images(root: Path) -> set[str]:
    """Return the images of ours that the cluster would run."""
    manifests = (root / "env" / "k8s" / "deployments.yml").read_text()
    return {image for image in re.findall(r"image: (\S+)", manifests) if image.startswith(REGISTRY)}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of Tutor roots as the release before the newest leaves them."""
    folder = tmp_path_factory.mktemp("before")
    render(BEFORE, folder, {"named": {"BADGES_DOCKER_REGISTRY": REGISTRY}, "pinned": PINNED})
    return folder


def test_t7_an_upgrade_gives_the_images_of_a_registry_new_tags(roots: Path) -> None:
    """A cluster keeps running an image whose tag it knows."""
    root = roots / "named"
    before = images(root)
    printed = Operator(tutor(NEWEST), root, NEWEST).tutor("config", "save")
    after = images(root)
    assert len(before) == len(after) == 2
    assert before & after == set()
    for found, release in ((before, BEFORE), (after, NEWEST)):
        assert all(re.search(rf":{release}\.\d+\.\d+-badges{package.version()}-kafka$", image) for image in found)
    assert "whose tag lacks" not in printed


def test_t7_an_upgrade_says_which_images_are_pinned_and_stay_the_old_ones(roots: Path) -> None:
    root = roots / "pinned"
    printed = Operator(tutor(NEWEST), root, NEWEST).tutor("config", "save")
    assert images(root) == set(PINNED.values())
    words = " ".join(printed.split())
    for key, image in PINNED.items():
        assert f"{key} is {image}, whose tag lacks the versions" in words
        assert f"tutor config save --unset {key}" in words
