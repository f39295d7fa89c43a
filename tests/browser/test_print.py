"""A valid badge is printed as a certificate; what is not valid, as a page that says so."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import Open
from tests.browser.window import SCREENSHOTS, take_picture
from tests.browser.world import World

POINTS_PER_MM = 72 / 25.4
LANDSCAPE, PORTRAIT = (297, 210), (210, 297)
PIXELS_PER_MM = 96 / 25.4


def pages(pdf: bytes) -> list[tuple[int, int]]:
    """Return width and height of each page, in whole millimeters. Chromium does not compress what says so."""
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    return [(round(float(width) / POINTS_PER_MM), round(float(height) / POINTS_PER_MM)) for width, height in boxes]


@pytest.mark.parametrize(
    ("state", "size", "number"), [("public", LANDSCAPE, 1), ("long", LANDSCAPE, 1), ("revoked", PORTRAIT, 1)]
)
def test_paper(opened: Open, world: World, state: str, size: tuple[int, int], number: int) -> None:
    window = opened()
    window.go(f"/badges/b/{world.signed[state].uuid}/")
    page = window.page
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    assert pages(pdf) == [size] * number
    page.emulate_media(media="print")
    page.set_viewport_size({"width": round(size[0] * PIXELS_PER_MM), "height": round(size[1] * PIXELS_PER_MM)})
    take_picture(page, f"badge-{state}-print")
    (SCREENSHOTS / f"badge-{state}.pdf").write_bytes(pdf)
    shown = page.locator(".certificate").is_visible() if size == LANDSCAPE else page.locator(".badge-head").is_visible()
    assert shown
    assert page.get_by_role("navigation").count() == 0 or not page.get_by_role("navigation").first.is_visible()


def test_my_badges_are_printed_without_what_one_clicks(opened: Open, world: World) -> None:
    window = opened(world.ada)
    window.go("/badges/mine/")
    window.page.emulate_media(media="print")
    take_picture(window.page, "my-badges-print")
    assert set(pages(window.page.pdf(prefer_css_page_size=True))) == {PORTRAIT}
    assert [each for each in window.page.get_by_role("switch").all() if each.is_visible()] == []
    assert window.page.get_by_role("heading", name="Statistics").is_visible()
