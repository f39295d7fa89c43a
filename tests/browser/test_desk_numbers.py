"""The pages of numbers in the frame of the admin: wide, narrow, dark, from right to left, and with nothing to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from badges_plugin.models import BadgeTemplate
from tests.browser.conftest import Open
from tests.browser.serving import Service
from tests.browser.test_pages import look_at
from tests.browser.world import World

if TYPE_CHECKING:  # not installed for the other tests
    from playwright.sync_api import Page

SITE = "/badges/desk/numbers/"


def chart_of(page: Page) -> Any:
    return page.get_by_role("img", name="Badges by week. The figures are in the table below the picture.")


def test_the_site(opened: Open, world: World, registrar: Any) -> None:
    window = opened(registrar)
    window.go(f"{SITE}?weeks=52")
    page = window.page
    assert page.get_by_role("heading", name="Numbers", exact=True, level=1).count() == 1
    assert chart_of(page).is_visible()
    assert look_at(window, "desk-numbers") == []
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_label("Badge", exact=True).select_option(label="Statistics")
    with page.expect_navigation():
        page.get_by_role("button", name="Show").click()
    assert page.get_by_role("heading", name="Numbers of Statistics", level=1).count() == 1
    assert page.get_by_label("Time", exact=True).input_value() == "52", "what was chosen stays"


@pytest.mark.parametrize("name", ["Reasoning", "Ethics of data"])
def test_a_badge(opened: Open, served: Service, world: World, registrar: Any, name: str) -> None:
    template = served.run(lambda: BadgeTemplate.objects.get(name=name))
    window = opened(registrar)
    window.go(f"{SITE}{template.pk}/?weeks=all")
    assert window.page.get_by_role("heading", name="From the first step to the badge", level=2).count() == 1
    assert look_at(window, f"desk-numbers-{template.name.split()[0].lower()}") == []


def test_nothing_in_this_time(opened: Open, registrar: Any) -> None:
    window = opened(registrar)
    window.go(SITE)
    assert "Nothing was awarded in this time." in chart_of(window.page).inner_html()


def test_from_right_to_left(opened: Open, world: World, registrar: Any) -> None:
    window = opened(registrar, language="ar")
    window.go(f"{SITE}?weeks=52")
    assert window.page.locator("html").get_attribute("dir") == "rtl"
    assert look_at(window, "desk-numbers-ar", dark=False) == []
