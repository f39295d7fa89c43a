"""Why a load test cannot go on."""

from __future__ import annotations


class CannotMeasure(Exception):
    """The site cannot be measured; the message says why, and what to do."""
