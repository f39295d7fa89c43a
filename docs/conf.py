"""Sphinx configuration. ``make docs`` builds; a warning is an error there."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path

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
    """Let the build fail when a table no longer says what the code says."""
    app.connect("builder-inited", _check_generated)


def _check_generated(app: Sphinx) -> None:
    logger = logging.getLogger(__name__)
    for path in generated.stale():
        logger.warning("%s is not what the code says: run .venv/bin/python docs/generated.py", path.relative_to(HERE))
