"""The documentation can be built: links lead somewhere, and the tables that come from the code are as it is now."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
@pytest.mark.standin
@pytest.mark.skipif(find_spec("sphinx") is None, reason="Sphinx is not in this environment")
def test_the_documentation_is_built_without_a_warning(tmp_path: Path) -> None:
    # As "make docs" does.
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=170, check=False)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "index.html").exists()
