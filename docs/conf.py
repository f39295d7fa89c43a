"""Sphinx configuration. ``make docs`` builds; a warning is an error there."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import generated  # noqa: E402

metadata = configparser.ConfigParser()
metadata.read(HERE.parent / "setup.cfg")

project = "Badges for Open edX"
project_copyright = "the contributors, AGPL-3.0"
release = version = metadata["metadata"]["version"]

exclude_patterns = ["_build"]
nitpicky = True

html_theme = "sphinx_rtd_theme"
html_show_sourcelink = False


def setup(app: Sphinx) -> None:
    """Let the build fail when a table no longer says what the code says, or not what its author meant."""
    app.connect("builder-inited", _check_generated)
    app.connect("doctree-read", _check_rows)


def _check_generated(app: Sphinx) -> None:
    logger = logging.getLogger(__name__)
    for path in generated.stale():
        logger.warning("%s is not what the code says: run .venv/bin/python docs/generated.py", path.relative_to(HERE))


def _check_rows(app: Sphinx, doctree: nodes.document) -> None:
    """In a simple table a second line of the first column is a row of its own, and the others are empty there."""
    for row in doctree.findall(nodes.row):
        first, *others = [entry.astext().strip() for entry in row.findall(nodes.entry)]
        if first and others and not any(others):
            logging.getLogger(__name__).warning("A row has nothing but %r", first, location=row)
