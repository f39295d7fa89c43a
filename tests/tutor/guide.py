"""The operator's guide, as tests read it."""

from __future__ import annotations

from textwrap import dedent

from tests.tutor.environments import REPOSITORY

GUIDE = REPOSITORY / "docs" / "operations" / "tutor"


def recipe(first_line: str, page: str = "running") -> str:
    """Return the literal block of a page that begins with this line."""
    lines = (GUIDE / f"{page}.rst").read_text().splitlines()
    start = lines.index("    " + first_line)
    end = next((number for number, line in enumerate(lines) if number > start and line[:4].strip()), len(lines))
    return dedent("\n".join(lines[start:end])).strip() + "\n"
