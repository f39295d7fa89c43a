"""axe-core: what of the rules of WCAG a program can see. https://github.com/dequelabs/axe-core"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # not installed for the other tests
    from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Of rules that hold nothing is reported, which saves the time to describe it.
RUN = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"

DJANGOS_OWN = (
    # The search of a list has a picture for a label, and a hint.
    ("label-title-only", 'id="searchbar"'),
    # Rows below the row that they belong to: above their names, and above the boxes to delete them where none can be.
    ("empty-table-header", '<th class="original"></th>'),
    ("empty-table-header", "<th></th>"),
)
"""What Django's own templates break on pages of ours: the rule, and a part of the element."""


@cache
def script() -> str:
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """Return each rule that the page breaks, with the elements that do; without what is Django's own."""
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(script())
    found: dict[str, Any] = page.evaluate(RUN, TAGS)
    broken = [
        (rule["id"], str(node["target"]), str(node["html"])) for rule in found["violations"] for node in rule["nodes"]
    ]
    return [f"{rule}: {target}" for rule, target, html in broken if not _is_djangos_own(rule, html)]


def _is_djangos_own(rule: str, html: str) -> bool:
    return any(rule == known and part in html for known, part in DJANGOS_OWN)
