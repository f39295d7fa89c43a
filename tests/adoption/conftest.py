"""The world of the adoption tests: the built-in app's rows, and listeners that must hear nothing."""

from __future__ import annotations

from typing import Any

import pytest

from badges_plugin import host
from tests.adoption.world import Builtin
from tests.core.conftest import heard

__all__ = ["heard"]


@pytest.fixture
def builtin(db: None, settings: Any) -> Builtin:
    settings.BADGES_CONFIG = {}
    if "AccredibleGroup" not in host.builtin_models():
        pytest.skip("this host's own badges app knows no Accredible, or there is none")
    return Builtin()
