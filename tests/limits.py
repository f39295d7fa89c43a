"""Lower limits of the code, so that a test reaches them with few rows. Nothing is faked."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest


class Lower:
    """Sets constants of a module, given by itself or by its name, or of a class, until the end of the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._set = monkeypatch.setattr

    def __call__(self, place: Any, **limits: float) -> None:
        for name, value in limits.items():
            self._set(import_module(place) if isinstance(place, str) else place, name, value)
