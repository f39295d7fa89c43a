"""Everything without a mouse: the skip link, the switch, forms; and the focus can be seen wherever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.browser.conftest import Open
from tests.browser.serving import Service
from tests.browser.window import take_picture
from tests.browser.world import PYTHON, World, work
from tests.factories import send_passing

if TYPE_CHECKING:  # not installed for the other tests
    from playwright.sync_api import Page

FOCUSED = "document.activeElement.matches({!r})"
# What can be focused, and is outlined or changes its look when it is.
SEEN = """() => {
  const style = getComputedStyle(document.activeElement);
  return parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== "none";
}"""
MOST_KEYS = 60
MOST_STOPS = 200


def tab_to(page: Page, selector: str) -> list[str]:
    """Press Tab until the focus is there; return where it was and could not be seen."""
    unseen = []
    for _ in range(MOST_KEYS):
        page.keyboard.press("Tab")
        if not page.evaluate(SEEN):
            unseen.append(page.evaluate("document.activeElement.outerHTML"))
        if page.evaluate(FOCUSED.format(selector)):
            return unseen
    raise AssertionError(f"{selector} is not reached")


def earns_data_analysis(world: World) -> None:
    send_passing(world.dora, PYTHON, minute=30)
    work()


def test_skips_to_the_content(opened: Open, world: World) -> None:
    window = opened(world.ada)
    window.go("/badges/mine/")
    page = window.page
    skip = page.get_by_role("link", name="Skip to content")
    page.keyboard.press("Tab")
    assert skip.evaluate("each => each === document.activeElement")
    box = skip.bounding_box()
    assert box is not None
    assert box["y"] >= 0, "it is seen once it has the focus"
    take_picture(page, "my-badges-skip")
    page.keyboard.press("Enter")
    assert page.evaluate(FOCUSED.format("main"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_switch(opened: Open, served: Service, world: World) -> None:
    served.run(earns_data_analysis, world)
    window = opened(world.dora)
    window.go("/badges/mine/")
    page = window.page
    for state, words in (("true", "Anyone with the link can see it"), ("false", "Only you can see it")):
        assert tab_to(page, ".switch") == []
        with page.expect_navigation():
            page.keyboard.press("Space")
        switch = page.get_by_role("switch", name="Data analysis")
        assert switch.get_attribute("aria-checked") == state
        assert page.locator(f"#{switch.get_attribute('aria-describedby')}").inner_text().startswith(words)


def test_sharing_options(opened: Open, world: World) -> None:
    window = opened(world.ada)
    window.go(f"/badges/mine/{world.signed['private'].uuid}/")
    page = window.page
    assert tab_to(page, "[name=who]") == []
    # Only to look: the choice is changed, and changed back, before it is saved.
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("Anyone with the link").is_checked()
    page.keyboard.press("ArrowUp")
    assert tab_to(page, "[name=name]") == []
    page.keyboard.press("ArrowUp")
    assert page.get_by_label("A. L.").is_checked()
    assert tab_to(page, "[name=evidence]") == []
    page.keyboard.press("Space")
    assert page.get_by_label("What I did, and when").is_checked()
    assert tab_to(page, "button.main") == []
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_role("status").inner_text() == "Saved. Only you can see the badge."


def test_verifying(opened: Open, world: World) -> None:
    window = opened()
    window.go("/badges/verify/")
    page = window.page
    assert tab_to(page, "[name=link]") == []
    page.keyboard.insert_text(world.signed["public"].url)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.get_by_role("heading", name="This badge is valid").is_visible()


def test_every_stop_is_seen(opened: Open, world: World) -> None:
    for path in ("/badges/catalogue/", f"/badges/b/{world.signed['public'].uuid}/"):
        window = opened(world.ada)
        window.go(path)
        assert tab_to(window.page, ".site-foot a") == []


STAFF_PAGES = (
    "/admin/",
    "/admin/badges_plugin/badgeaward/",
    "/admin/badges_distribution/delivery/",
    "/badges/desk/badges/{badge}/",
    "/badges/desk/badges/{badge}/change/",
    "/badges/desk/learners/{learner}/",
    "/badges/desk/give/",
    "/badges/desk/numbers/",
)


def test_staff_see_where_they_are(opened: Open, world: World, registrar: Any) -> None:
    """From the skip link through all of the content, and out of it again."""
    window = opened(registrar)
    page, unseen = window.page, []
    for address in STAFF_PAGES:
        window.go(address.format(badge=world.statistics.pk, learner=world.ada.pk))
        page.locator(".skip-to-content-link").press("Enter")
        stops = 0
        while stops < MOST_STOPS:
            page.keyboard.press("Tab")
            if not page.evaluate("document.activeElement.closest('#content-start, #content, main') !== null"):
                break
            stops += 1
            if not page.evaluate(SEEN):
                unseen.append(f"{address} {page.evaluate('document.activeElement.outerHTML')[:120]}")
        assert MOST_STOPS > stops > 2, address
    assert unseen == []
