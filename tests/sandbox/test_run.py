"""What ``make run`` leaves in its folder to work with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sandbox.demo.deployment import MANAGE
from sandbox.run import write_script


def test_commands_run_in_the_sandbox_from_any_folder(tmp_path: Path) -> None:
    environment = {
        "DJANGO_SETTINGS_MODULE": "sandbox.settings",
        "BADGES_SANDBOX_DIR": str(tmp_path),
        "BADGES_CONFIG_JSON": '{"credly": {"LOCALE": "it\'s none"}}',
    }
    manage = write_script(tmp_path / "manage", environment, [sys.executable, MANAGE])

    run = subprocess.run([manage, "check"], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 1
    assert "credly_badges.E001" in run.stderr
