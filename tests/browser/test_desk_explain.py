"""The pages of staff that explain: a learner, an award, and an event that is tried."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Open
from tests.browser.test_pages import look_at
from tests.browser.world import ALGEBRA, World

if TYPE_CHECKING:  # not installed for the other tests
    from playwright.sync_api import Page

LEARNERS = "/badges/desk/learners/"


def find_ada(page: Page) -> None:
    page.get_by_label("Name, user name or e-mail address").fill("lovelace")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Ada Lovelace").wait_for()


def open_algebra(page: Page) -> None:
    """Go from the front page of the learners to the story of the badge that Ada lost."""
    find_ada(page)
    page.get_by_role("link", name=re.compile("Its whole story.*Algebra mentor")).click()
    page.get_by_role("heading", name="Ada Lovelace: Algebra mentor").wait_for()


def try_algebra(page: Page) -> None:
    find_ada(page)
    page.get_by_role("link", name="Try an event").click()
    page.get_by_label("Course", exact=True).fill(ALGEBRA)
    page.get_by_role("button", name="Try it").click()
    page.get_by_text("The badge would be awarded").wait_for()


VISITS: dict[str, tuple[Callable[[Page], None] | None, str]] = {
    "desk-learners": (None, "Learners"),
    "desk-learner": (find_ada, "Ada Lovelace"),
    "desk-award": (open_algebra, "Its story, oldest first"),
    "desk-try": (try_algebra, "What would happen"),
}


@pytest.mark.parametrize("name", VISITS)
def test_a_page_of_staff(opened: Open, world: World, registrar: Any, name: str) -> None:
    act, heading = VISITS[name]
    window = opened(registrar)
    window.go(LEARNERS)
    if act is not None:
        act(window.page)
    assert window.page.get_by_role("heading", name=heading).count() >= 1
    assert look_at(window, name) == []
