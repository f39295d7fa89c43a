"""From signing in to a badge that somebody else believes, and back: everything by clicks, as a learner does it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from PIL import Image

from badges_plugin.distribution.open_badges import baking
from tests.browser.conftest import Open
from tests.browser.serving import Service
from tests.browser.window import Window
from tests.browser.world import DOMAIN, PASSWORD, STATISTICS, World, work
from tests.factories import send_passing

if TYPE_CHECKING:  # not installed for the other tests
    from playwright.sync_api import Locator


def earns_statistics(world: World) -> None:
    send_passing(world.cleo, STATISTICS, minute=20)
    work()


def sign_in(window: Window, username: str) -> None:
    """Begin at My badges, which is not shown to strangers."""
    window.go("/badges/mine/")
    page = window.page
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/badges/mine/")


def row(window: Window, badge: str) -> Locator:
    """Return what My badges says of a badge."""
    return window.page.get_by_role("listitem").filter(has=window.page.get_by_role("heading", name=badge))


def publish(window: Window, badge: str) -> str:
    """Publish a badge with full name and what was done for it; return the link that its page offers."""
    page = window.page
    row(window, badge).get_by_role("link", name="Sharing options").click()
    page.get_by_label("Anyone with the link").check()
    page.get_by_label("Cleo Nova").check()
    page.get_by_label("What I did, and when").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved. Anyone with the link can see the badge.").wait_for()
    page.get_by_role("link", name="See the page as others do").click()
    page.get_by_text("Awarded to Cleo Nova").wait_for()
    link: str = page.get_by_label("Link to this page").input_value()
    return link


def take_back(window: Window, badge: str) -> None:
    page = window.page
    page.get_by_role("link", name="My badges").click()
    row(window, badge).get_by_role("link", name="Sharing options").click()
    page.get_by_label("Only me").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved. Only you can see the badge.").wait_for()


def downloaded(window: Window, name: str) -> bytes:
    with window.page.expect_download() as coming:
        window.page.get_by_role("link", name=name, exact=True).click()
    return Path(coming.value.path()).read_bytes()


def test_a_badge_is_earned_shown_believed_and_taken_back(opened: Open, served: Service, world: World) -> None:
    mine = opened()
    sign_in(mine, "cleo")
    mine.page.get_by_role("heading", name="Your first badge goes here").wait_for()
    served.run(earns_statistics, world)
    mine.page.reload()
    mine.page.get_by_text("1 badge earned").wait_for()

    link = publish(mine, "Statistics")
    path = link.removeprefix(f"https://{DOMAIN}")
    assert re.fullmatch(r"/badges/b/[0-9a-f-]{36}/", path)

    stranger = opened()
    stranger.go(path)
    page = stranger.page
    page.get_by_text("Awarded to Cleo Nova").wait_for()
    page.get_by_text("neither revoked nor expired").wait_for()
    assert page.context.cookies() == []
    linkedin = page.get_by_role("link", name="Add to LinkedIn profile").get_attribute("href") or ""
    assert urlsplit(linkedin).netloc == "www.linkedin.com"
    assert parse_qs(urlsplit(linkedin).query)["certUrl"] == [link]

    document = json.loads(downloaded(stranger, "JSON"))
    assert document["id"] == link
    for name in ("PNG image", "SVG image"):
        assert json.loads(baking.extract(downloaded(stranger, name)) or "") == document
    assert downloaded(stranger, "JWT").count(b".") == 2

    take_back(mine, "Statistics")
    stranger.go(path, status=410)
    page.get_by_role("heading", name="This page is no longer here").wait_for()
    assert "Cleo" not in page.content()


def test_a_link_is_copied_by_a_button(opened: Open, world: World) -> None:
    window = opened()
    window.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    document = world.signed["public"]
    window.go(f"/badges/b/{document.uuid}/")
    window.page.get_by_role("button", name="Copy link").click()
    window.page.get_by_role("button", name="Copied").wait_for()
    assert window.page.evaluate("navigator.clipboard.readText()") == document.url


def test_pictures_are_drawn(opened: Open, world: World) -> None:
    """Each picture arrives and has a size; a link preview is as large as it says."""
    window = opened(world.ada)
    window.go("/badges/mine/")
    sizes = window.page.evaluate("[...document.images].map(each => each.complete && each.naturalWidth)")
    assert len(sizes) == 6
    assert all(sizes)
    window.go(f"/badges/b/{world.signed['public'].uuid}/")
    preview = window.page.locator('meta[property="og:image"]').get_attribute("content") or ""
    answer = window.page.request.get(urlsplit(preview).path)
    assert Image.open(io.BytesIO(answer.body())).size == (1200, 630)
