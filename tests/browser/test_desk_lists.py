"""What staff see first, and the lists: in both widths, by day and by night; and a file of the holders of a badge."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Open
from tests.browser.hand import Hand
from tests.browser.test_pages import look_at

PAGES = {
    "admin-front": ("/admin/", "Site administration"),
    "admin-find": ("/badges/desk/find/?q=a", "Find a learner or a badge"),
    "admin-badges": ("/admin/badges_plugin/badgetemplate/", "Badge templates"),
    "admin-progress": ("/admin/badges_plugin/badgeprogress/?badge_name=reason", "Badge progress records"),
    "admin-awards": ("/admin/badges_plugin/badgeaward/", "Badge awards"),
    "admin-deliveries": ("/admin/badges_distribution/delivery/?state__exact=pending", "Deliveries"),
    "admin-failed-events": ("/admin/badges_plugin/failedevent/", "Failed events"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_staff(opened: Open, registrar: Any, name: str) -> None:
    path, heading = PAGES[name]
    window = opened(registrar)
    window.go(path)
    assert window.page.get_by_role("heading", name=heading).count() >= 1
    assert look_at(window, name) == []


@pytest.mark.parametrize("name", ["admin-front", "admin-deliveries"])
def test_from_right_to_left(opened: Open, registrar: Any, name: str) -> None:
    window = opened(registrar, language="ar")
    window.go(PAGES[name][0])
    assert window.page.locator("html").get_attribute("dir") == "rtl"
    assert look_at(window, f"{name}-ar", dark=False) == []


def test_the_holders_of_a_badge_are_downloaded_with_three_clicks(opened: Open, registrar: Any, tmp_path: Path) -> None:
    window = opened(registrar)
    page, hand = window.page, Hand(window.page)
    window.go("/admin/")
    hand.enter(page.get_by_label("Find a learner or a badge"), "ethics")
    hand.press(page.get_by_role("link", name="All who have it", exact=True))
    with page.expect_download() as download:
        hand.press(page.get_by_role("link", name="Download as CSV"))
    assert hand.interactions == 3
    path = tmp_path / "holders.csv"
    download.value.save_as(path)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert [(row["username"], row["badge"], row["state"]) for row in rows] == [("ada", "Ethics of data", "held")]
    assert download.value.suggested_filename.startswith("badges-awards-")
