"""The page that answers for each statement about Credly names tests, and they are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference/credly.rst"
NAMED = sorted(set(re.findall(r"``(tests/[^`]+)``", PAGE.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_the_page_names_exists(named: str) -> None:
    path, *suite, name = named.split("::")
    # What a class does not have itself it inherits from the suites for backends.
    sources = [ROOT / path, *(sorted(ROOT.glob("tests/distribution/*_cases.py")) if suite else ())]
    assert any(f"def {name}(" in source.read_text(encoding="utf-8") for source in sources)
