"""The page that names a test for each rule names tests that exist, and every test of the judges."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "open-badges-conformance.rst"


def test_named_tests_exist() -> None:
    named = set(re.findall(r"``(test_\w+)``", PAGE.read_text()))
    folders = [ROOT / "tests" / "open_badges", ROOT / "tests" / "conformance"]
    sources = "".join(path.read_text() for folder in folders for path in folder.glob("test_*.py"))
    found = set(re.findall(r"^def (test_\w+)\(", sources, re.MULTILINE))
    judged = (ROOT / "tests" / "conformance" / "test_conformance.py").read_text()
    assert named - found == set()
    assert set(re.findall(r"^def (test_\w+)\(", judged, re.MULTILINE)) - named == set()
