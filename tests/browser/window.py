"""A window of the browser: whose it is, and what goes wrong in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings

from tests.browser import pictures
from tests.browser.serving import Service
from tests.browser.world import PICTURES
from tests.services.process import ServiceMissingError, find_program
from tests.web.pages_world import as_user

if TYPE_CHECKING:  # not installed for the other tests
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright, Response, Route

WAIT_MS = 30_000
"""For whatever is waited for: a machine may be busy."""
HEIGHT = 900
# So that each run of one browser draws the same. https://playwright.dev/docs/test-snapshots has the reasons.
ARGUMENTS = ("--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb")
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><circle cx="48" cy="48" r="44" fill="#b35900"/></svg>'
)
SCREENSHOTS = Path(os.environ.get("BADGES_SCREENSHOTS") or Path(__file__).resolve().parents[2] / "var" / "screenshots")


@dataclass(frozen=True)
class Programs:
    """Playwright's function to start it, and the browser."""

    playwright: Callable[[], AbstractContextManager[Playwright]]
    chromium: Path


def find_programs() -> Programs:
    """Find both. Raises ServiceMissingError where one is not installed."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise ServiceMissingError("Playwright is not installed: make .venv/.browser") from error
    return Programs(sync_playwright, find_program("chromium", package="chromium"))


@contextmanager
def launched(programs: Programs) -> Iterator[Browser]:
    """Run the browser."""
    # Chromium's sandbox refuses to run as root.
    arguments = [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with programs.playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=programs.chromium, args=arguments, timeout=WAIT_MS)
        yield browser
        browser.close()


@dataclass
class Window:
    """A page in a fresh browser context, and what happened in it that never should."""

    page: Page
    problems: list[str] = field(default_factory=list)

    def go(self, path: str, *, status: int = 200) -> None:
        """Open a path of the service."""
        response = self.page.goto(path)
        assert response is not None
        assert response.status == status

    def picture_for_docs(
        self,
        name: str,
        *parts: str | Locator,
        width: int = pictures.TEXT_COLUMN,
        most: int = HEIGHT,
        mark: Locator | None = None,
    ) -> None:
        """Compare parts of the page with their picture in ``docs/pictures``; ``make docs-pictures`` takes it anew.

        Parts are CSS selectors or locators; none is all that the page shows below its head. The picture is at most
        ``most`` pixels high, and ``mark`` is outlined in it. Call it in the test itself, with the name as a literal:
        that is how the picture is known to be made.
        """
        # A heading may be there before the rest of its page.
        self.page.wait_for_load_state()
        before = self.page.viewport_size
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        # The admin's and ours.
        shown = parts or ("#content, #main:not(:has(#content))",)
        wanted = [self.page.locator(part).first if isinstance(part, str) else part for part in shown]
        margin = pictures.MARGIN if parts else 0
        view = pictures.look(self.page, wanted, most=most, margin=margin)
        if pictures.TAKES_AGAIN:
            pictures.take(self.page, view, name, mark)
        elif differing := pictures.differences(view, name):
            self.problems.append("\n".join([f"{name}: {pictures.AGAIN}", *differing]))
        if before is not None:
            self.page.set_viewport_size(before)

    def close(self) -> None:
        self.page.context.close()


def open_window(
    browser: Browser, service: Service, user: Any = None, *, width: int = 1280, language: str = "en-US"
) -> Window:
    """Open a window of somebody who is signed in; None is nobody. ``language`` is what their browser asks for."""
    url = service.url
    context = browser.new_context(
        base_url=url,
        viewport={"width": width, "height": HEIGHT},
        device_scale_factor=1,
        locale=language,
        timezone_id="UTC",
        color_scheme="light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(WAIT_MS)
    if user is not None:
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": service.run(_session_of, user), "url": url}]
        )
    window = Window(context.new_page())

    def leave(route: Route) -> None:
        """Answer in the place of the rest of the world."""
        asked = route.request.url
        if asked.startswith(PICTURES):
            route.fulfill(body=PICTURE, content_type="image/svg+xml")
        else:
            window.problems.append(f"leaves the service: {asked}")
            route.abort()

    def note_console(message: ConsoleMessage) -> None:
        # A page that is gone is an error to the browser, and a test says whether it has to be.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            window.problems.append(f"console: {message.text}")

    def note_response(response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            window.problems.append(f"{response.status}: {response.url}")

    host = urlsplit(url).netloc
    context.route(lambda asked: urlsplit(asked).netloc != host, leave)
    window.page.on("console", note_console)
    window.page.on("pageerror", lambda error: window.problems.append(f"script: {error}"))
    window.page.on("response", note_response)
    return window


def _session_of(user: Any) -> str:
    return as_user(user).cookies[settings.SESSION_COOKIE_NAME].value


def overflow(page: Page) -> list[str]:
    """Return what makes a page scroll sideways."""
    found: list[str] = page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          const wide = [...document.body.querySelectorAll("*")].filter(each => {
            const box = each.getBoundingClientRect();
            return box.right > width + 1 || box.left < -1;
          });
          const name = each => `${each.tagName}.${each.className}`;
          return ["the page", ...wide.map(each => `${name(each.parentElement)} > ${name(each)}`)];
        }"""
    )
    return found


def take_picture(page: Page, name: str) -> None:
    """Keep a picture of the whole page in the folder of screenshots."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True, animations="disabled", caret="hide")
