"""Somebody who does something in a window: each press and each choice is one interaction, typing is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # not installed for the other tests
    from playwright.sync_api import Locator, Page


@dataclass
class Hand:
    """Presses and chooses, and counts how often. A form that is sent with Enter was pressed, too."""

    page: Page
    interactions: int = 0

    def press(self, what: Locator) -> None:
        what.click()
        self._done()

    def enter(self, what: Locator, text: str) -> None:
        """Type, and send the form with Enter."""
        what.fill(text)
        what.press("Enter")
        self._done()

    def choose(self, where: Locator, what: str) -> None:
        where.select_option(label=what)
        self.interactions += 1

    def _done(self) -> None:
        self.page.wait_for_load_state()
        self.interactions += 1
