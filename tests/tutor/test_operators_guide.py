"""The operator's guide matches the plugin: settings, defaults and commands."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from tests.tutor.environments import NEWEST, REPOSITORY
from tests.tutor.guide import GUIDE
from tutor_badges.config import SETTINGS, Setting


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented_with_its_default(setting: Setting) -> None:
    default = "empty" if setting.default == "" else f"``{json.dumps(setting.default).strip(chr(34))}``"
    entries = [" ".join(entry.split()) for entry in (GUIDE / "settings.rst").read_text().split("\n\n")]
    # A paragraph of its own may follow.
    assert f"``{setting.key}`` (default: {default}) {setting.help}" in entries


def test_the_guide_names_no_setting_that_does_not_exist() -> None:
    known = {setting.key for setting in SETTINGS} | {"BADGES_VERSION", "BADGES_CONFIG"}
    named = {name for page in GUIDE.glob("*.rst") for name in re.findall(r"\bBADGES_[A-Z_]+\b", page.read_text())}
    assert named - known == set()


def test_the_guide_installs_from_a_checkout_and_keeps_the_release_of_tutor() -> None:
    """The package is on no index yet. After the first release, the guide names the package instead."""
    commands = [line for page in GUIDE.glob("*.rst") for line in re.findall(r"(?m)^ +pip install.+", page.read_text())]
    assert len(commands) == 3
    for line in commands:
        command = shlex.split(line, comments=True)
        assert command[-2:] == ["./distributions/tutor", f"tutor-credentials~={NEWEST}.0"]
    assert (REPOSITORY / "distributions/tutor/pyproject.toml").exists()
