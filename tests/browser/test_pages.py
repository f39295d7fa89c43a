"""Every page, in every state: nothing that axe-core objects to, nothing wider than the window, and a picture of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.test import override_settings

from tests.browser.axe import violations
from tests.browser.conftest import Open
from tests.browser.window import HEIGHT, Window, overflow, take_picture
from tests.browser.world import World
from tests.web.pages_world import NOBODY

if TYPE_CHECKING:  # not installed for the other tests
    from playwright.sync_api import Page

VERIFY = "/badges/verify/"
WIDTHS = (1280, 390)
NARROWEST = 320
"""What WCAG asks for: https://www.w3.org/WAI/WCAG22/Understanding/reflow"""


def badge(state: str) -> Callable[[World], str]:
    return lambda world: f"/badges/b/{world.signed[state].uuid}/"


def link(state: str) -> Callable[[World], str]:
    return lambda world: f"{VERIFY}?link={world.signed[state].url}"


def pasted(text: Callable[[World], str]) -> Callable[[Page, World], None]:
    """Verify a text."""

    def act(page: Page, world: World) -> None:
        page.get_by_label("Text of the badge").fill(text(world))
        page.get_by_role("button", name="Verify").click()
        page.wait_for_load_state()

    return act


def changed(world: World) -> str:
    return world.signed["public"].json_text.replace("Statistics", "Brain surgery")


def foreign(world: World) -> str:
    badge = json.loads(world.signed["public"].json_text)
    badge["issuer"] = {"id": "did:web:badges.another.example", "type": ["Profile"], "name": "Another"}
    badge["proof"]["verificationMethod"] = "did:web:badges.another.example#key-1"
    return json.dumps(badge)


@dataclass(frozen=True)
class Visit:
    """How a page is reached: by whom, where, what is done there, and what its heading says then."""

    path: str | Callable[[World], str]
    heading: str
    who: str = ""
    act: Callable[[Page, World], None] | None = None
    status: int = 200

    def make(self, window: Window, world: World) -> None:
        window.go(self.path if isinstance(self.path, str) else self.path(world), status=self.status)
        if self.act:
            self.act(window.page, world)


VISITS = {
    "my-badges": Visit("/badges/mine/", "My badges", "ada"),
    "my-badges-empty": Visit("/badges/mine/", "Your first badge goes here", "bob"),
    "publish": Visit(lambda world: f"/badges/mine/{world.signed['private'].uuid}/", "What others see of Data", "ada"),
    "publish-revoked": Visit(
        lambda world: f"/badges/mine/{world.signed['revoked'].uuid}/", "What others see of Algebra", "ada"
    ),
    "badge": Visit(badge("public"), "Statistics"),
    "badge-private": Visit(badge("private"), "Data analysis", "ada"),
    "badge-revoked": Visit(badge("revoked"), "Was this badge yours?"),
    "badge-expired": Visit(badge("expired"), "Is this badge yours?"),
    "verify": Visit(VERIFY, "Verify a badge"),
    "verify-valid": Visit(link("public"), "This badge is valid"),
    "verify-revoked": Visit(link("revoked"), "This badge was revoked"),
    "verify-expired": Visit(link("expired"), "This badge has expired"),
    "verify-changed": Visit(VERIFY, "This badge was changed after it was signed", act=pasted(changed)),
    "verify-foreign": Visit(VERIFY, "This badge was not issued here", act=pasted(foreign)),
    "verify-unreadable": Visit(VERIFY, "We cannot read this as a badge", act=pasted(lambda world: "No badge")),
    "verify-nothing": Visit(link("private"), "There is no public badge at this link"),
    "verify-problem": Visit(VERIFY, "Verify a badge", act=pasted(lambda world: "")),
    "catalog": Visit("/badges/catalogue/", "Badges you can earn", "ada"),
    "catalog-found-none": Visit("/badges/catalogue/?q=surgery", "No badge matches"),
    "badge-type": Visit(lambda world: f"/badges/catalogue/{world.reasoning.uuid}/", "Reasoning", "ada"),
    "my-collection": Visit("/badges/mine/collection/", "My collection", "ada"),
    "collection": Visit(lambda world: f"/badges/c/{world.collection.uuid}/", "Data badges of Ada"),
    "not-found": Visit(f"/badges/b/{NOBODY}/", "There is nothing here", status=404),
}


def look_at(window: Window, name: str, *, dark: bool = True) -> list[str]:
    """Look at a page in each width, and at its dark colors in the first; return what is wrong with it."""
    found = []
    for width in WIDTHS:
        window.page.set_viewport_size({"width": width, "height": HEIGHT})
        found += [f"{width}: {each}" for each in overflow(window.page)]
        for scheme in ("dark", "light") if dark and width == WIDTHS[0] else ("light",):
            window.page.emulate_media(color_scheme=scheme)
            # First, since it lets what changes in steps, as colors of the admin, come to its end.
            take_picture(window.page, f"{name}-{width}{'-dark' if scheme == 'dark' else ''}")
            found += [f"{width} {scheme}: {each}" for each in violations(window.page)]
    window.page.set_viewport_size({"width": NARROWEST, "height": HEIGHT})
    return [*found, *(f"{NARROWEST}: {each}" for each in overflow(window.page))]


@pytest.mark.parametrize("name", VISITS)
def test_a_page(opened: Open, world: World, name: str) -> None:
    visit = VISITS[name]
    window = opened(getattr(world, visit.who) if visit.who else None)
    visit.make(window, world)
    assert window.page.get_by_role("heading", name=visit.heading).count() >= 1
    assert look_at(window, name) == []


def test_too_often(opened: Open, world: World, settings: Any) -> None:
    with override_settings(BADGES_CONFIG={"pages": {**settings.BADGES_CONFIG["pages"], "public_rate": "1/d"}}):
        window = opened()
        window.go(f"/badges/b/{NOBODY}/", status=404)
        window.go(f"/badges/b/{NOBODY}/", status=429)
        assert look_at(window, "too-many") == []


ARABIC_PAGES = {
    "my-badges": "شاراتي",
    "publish": "ما يراه الآخرون من",
    "badge": "كيف أعرف أنها أصلية؟",
    "verify": "التحقق من شارة",
    "catalog": "شارات يمكن الحصول عليها",
}


@pytest.mark.parametrize("name", ARABIC_PAGES)
def test_from_right_to_left(opened: Open, world: World, name: str) -> None:
    visit = VISITS[name]
    window = opened(getattr(world, visit.who) if visit.who else None, language="ar")
    visit.make(window, world)
    page = window.page
    assert page.get_by_role("heading", name=ARABIC_PAGES[name]).count() == 1
    assert page.locator("html").get_attribute("dir") == "rtl"
    # The name of the site begins where the line does: at the right.
    box = page.locator(".site-name").bounding_box()
    assert box is not None
    assert box["x"] > WIDTHS[0] / 2
    assert look_at(window, f"{name}-ar", dark=False) == []


@pytest.mark.parametrize("path", ["/badges/mine/", "/badges/catalogue/", "publish", "badge"])
def test_a_name_without_a_space_fits(opened: Open, world: World, path: str) -> None:
    document = world.signed["long"]
    window = opened(world.long, width=NARROWEST)
    window.go({"publish": f"/badges/mine/{document.uuid}/", "badge": f"/badges/b/{document.uuid}/"}.get(path, path))
    assert overflow(window.page) == []


def test_faults_are_seen(opened: Open) -> None:
    """What the other tests do not find is not there: here it is."""
    window = opened()
    window.go(VERIFY)
    window.page.evaluate(
        """async () => {
          document.body.insertAdjacentHTML("beforeend", `<img src="/missing.png"><p style="color: #eee">pale</p>`
            + `<p class="wide">x</p><img alt="" src="https://elsewhere.example/tracker.png">`);
          document.querySelector(".wide").style.width = "2000px";
          await new Promise(resolve => setTimeout(resolve));
        }"""
    )
    window.page.wait_for_load_state("networkidle")
    assert any(each.startswith("image-alt") for each in violations(window.page))
    assert "the page" in overflow(window.page)
    found = "\n".join(window.problems)
    window.problems.clear()
    assert "404: " in found
    assert "style-src" in found
    assert "img-src" in found
