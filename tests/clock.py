"""A clock that a test moves forward. It begins a day ahead of the real time, which rows get by default."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone


class Clock:
    """Stands in for ``django.utils.timezone.now``."""

    def __init__(self) -> None:
        self.start = self._now = timezone.now() + timedelta(days=1)

    def __call__(self) -> datetime:
        return self._now

    def day(self, number: float) -> datetime:
        """Return the moment so many days after the beginning."""
        return self.start + timedelta(days=number)

    def move_to(self, day: float) -> datetime:
        """Make it that day, and return the moment."""
        self._now = self.day(day)
        return self._now

    def tick_from_now_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Show this time to all code under test."""
        monkeypatch.setattr(timezone, "now", self)
