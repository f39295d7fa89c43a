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
html_static_path = ["static"]
html_css_files = ["tables.css"]


def setup(app: Sphinx) -> None:
    """Fail the build when a table or picture differs from the code, or a table is malformed."""
    app.connect("builder-inited", _check_generated)
    app.connect("doctree-read", _check_rows)


def _check_generated(app: Sphinx) -> None:
    logger = logging.getLogger(__name__)
    for path in generated.stale():
        logger.warning("%s differs from the code: run .venv/bin/python docs/generated.py", path.relative_to(HERE))


def _check_rows(app: Sphinx, doctree: nodes.document) -> None:
    """Report a first column that runs over two lines: in a simple table the second line is a row of its own."""
    for row in doctree.findall(nodes.row):
        first, *others = [entry.astext().strip() for entry in row.findall(nodes.entry)]
        if first and others and not any(others):
            logging.getLogger(__name__).warning("A row has nothing but %r", first, location=row)
