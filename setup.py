"""What ``setup.cfg`` cannot say: the README as it is shown away from the repository, on a package index.

In the repository, links lead from file to file: they work in every fork, at every commit and without a network. An
index has none of these files, so links become addresses in the repository that ``setup.cfg`` names as *Source*.
"""

from __future__ import annotations

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# `text <target>`_, where the target is neither an address nor another place in the same text.
LINK = re.compile(r"(?<![`\w])`([^`<>]+?)\s+<(?!\w+:|#)([^`<>]+)>`_")
IMAGE = re.compile(r"^\.\. image:: (?!\w+:)(\S+)\n((?: +.*\n)*)", flags=re.MULTILINE)


def source_address() -> str:
    """Return the address of the repository, or an empty text while it has none."""
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = metadata.get("metadata", "project_urls", fallback="").splitlines()
    addresses = {name.strip().lower(): address.strip() for name, _, address in (line.partition("=") for line in lines)}
    return addresses.get("source", "").rstrip("/")


def for_an_index(readme: str, source: str) -> str:
    """Return the README with addresses in place of paths; without ``source``, with neither such links nor pictures."""

    def link(match: re.Match[str]) -> str:
        text, target = match.groups()
        if not source:
            return text
        return f"`{text} <{source}/{'tree' if target.endswith('/') else 'blob'}/HEAD/{target}>`_"

    def image(match: re.Match[str]) -> str:
        path, options = match.groups()
        return f".. image:: {source}/raw/HEAD/{path}\n{options}" if source else ""

    return IMAGE.sub(image, LINK.sub(link, readme))


if __name__ == "__main__":
    from setuptools import setup

    setup(long_description=for_an_index((ROOT / "README.rst").read_text(encoding="utf-8"), source_address()))
