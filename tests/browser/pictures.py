"""Pictures for the documentation, taken while the browser tests use the pages.

A picture is kept with the words that it shows, in a text chunk of its PNG file. Each run of the tests compares these
words, and roughly the size, with what the page shows now: a picture whose page has changed fails the test that takes
it, and ``make docs-pictures`` takes it again. Pixels are not compared, because fonts and browsers differ from machine
to machine; nor are numbers, of which some differ from run to run.
"""

from __future__ import annotations

import difflib
import io
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

if TYPE_CHECKING:  # not installed for the other tests
    from playwright.sync_api import Locator, Page

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
TAKES_AGAIN = os.environ.get("BADGES_DOCS_PICTURES") == "1"
AGAIN = "The page has changed since its picture was taken. Take it again: make docs-pictures"
TEXT_COLUMN = 800
"""The width of a window whose pictures fit into the column of a page of text."""
PHONE = 390

FONT = "Liberation Sans"
"""Of Debian's package fonts-liberation."""

_WORDS = "Words"
MARGIN = 6
"""Around parts of a page."""
_COLORS = 128
_FRAME = "#b6c0c6"
# Of a size, since fonts differ.
_TOLERANCE = 0.3
_OUTLINE = "3px solid #c2410c"

_CLOSE_SIDE_BAR = "document.querySelector('#main.shifted')?.classList.remove('shifted')"
# Where the parts are on the page, and what a reader can read there.
_SEEN = """([parts, most, margin]) => {
  const boxes = parts.map(part => part.getBoundingClientRect());
  const wide = document.documentElement.clientWidth;
  const left = Math.max(Math.min(...boxes.map(box => box.left)) - margin, 0);
  const top = Math.max(Math.min(...boxes.map(box => box.top)) + scrollY - margin, 0);
  const right = Math.min(Math.max(...boxes.map(box => box.right)) + margin, wide);
  const bottom = Math.min(Math.max(...boxes.map(box => box.bottom)) + scrollY + margin, top + most);
  const words = [], all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = new Range();
  while (all.nextNode()) {
    const parent = all.currentNode.parentElement;
    if (!all.currentNode.data.trim() || !parent.checkVisibility() || parent.closest("select, script, style")) continue;
    range.selectNodeContents(all.currentNode);
    const box = range.getBoundingClientRect(), middle = (box.top + box.bottom) / 2 + scrollY;
    if (middle > top && middle < bottom && box.left < right && box.right > left)
      words.push(all.currentNode.data.replace(/\\s+/g, " ").trim());
  }
  return {clip: {x: left, y: top, width: right - left, height: bottom - top}, words: words.join("\\n")};
}"""


@dataclass(frozen=True)
class View:
    """A part of a page as it is now: where it is, and the words in it."""

    clip: dict[str, float]
    words: str


def look(page: Page, parts: Sequence[Locator], *, most: int, margin: int) -> View:
    """Find the parts of a page with a margin, at most so many pixels high.

    The side bar of the admin is closed: what it lists is on the front page as well.
    """
    page.evaluate(_CLOSE_SIDE_BAR)
    seen: dict[str, Any] = page.evaluate(_SEEN, [[part.element_handle() for part in parts], most, margin])
    return View(seen["clip"], seen["words"])


def take(page: Page, view: View, name: str, mark: Locator | None) -> None:
    """Write the picture of what was found, with ``mark`` outlined.

    In few colors, and with a frame: most pages are as white as those of the documentation.
    """
    if mark is not None:
        mark.evaluate("(each, line) => { each.style.outline = line; each.style.outlineOffset = '4px'; }", _OUTLINE)
    page.mouse.move(0, 0)
    png = page.screenshot(clip=view.clip, full_page=True, animations="disabled", caret="hide")
    if mark is not None:
        mark.evaluate("each => { each.style.outline = each.style.outlineOffset = ''; }")
    info = PngInfo()
    info.add_itxt(_WORDS, view.words, zip=True)
    with Image.open(io.BytesIO(png)) as full:
        framed = ImageOps.expand(full.convert("RGB"), border=1, fill=_FRAME)
        few = framed.quantize(_COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    FOLDER.mkdir(exist_ok=True)
    few.save(FOLDER / f"{name}.png", optimize=True, pnginfo=info)


@cache
def _is_comparable() -> bool:
    """Whether the font of the pictures is here, as far as one can know: in another one they end at other words."""
    program = shutil.which("fc-match")
    if program is None or os.environ.get("BADGES_REQUIRE_SERVICES") == "1":
        return True
    found = subprocess.run([program, "--format=%{family}", FONT], capture_output=True, text=True, check=False)
    return FONT in found.stdout


def differences(view: View, name: str) -> list[str]:
    """Return how a page differs from the picture of it that is kept; nothing where its font is not installed."""
    if not _is_comparable():
        return []
    path = FOLDER / f"{name}.png"
    if not path.exists():
        return [f"{path.name} is missing"]
    with Image.open(path) as kept:
        sizes = [("wide", kept.width, view.clip["width"]), ("high", kept.height, view.clip["height"])]
        words = str(getattr(kept, "text", {}).get(_WORDS, ""))
    found = [
        f"{path.name} is {kept_size} pixels {side}, the page {size:g}"
        for side, kept_size, size in sizes
        if abs(kept_size - size) > _TOLERANCE * kept_size
    ]
    before, after = _comparable(words), _comparable(view.words)
    return [*found, *difflib.unified_diff(before, after, "picture", "page", lineterm="", n=0)]


def _comparable(words: str) -> list[str]:
    return re.sub(r"\d+", "#", words).splitlines()
