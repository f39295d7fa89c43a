"""Draw the layers of the architecture page from the contracts in ``.importlinter``.

The pictures are SVG files with fixed colors on a background of their own, so that they are readable on light and dark
pages, and narrow enough for a phone.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

CONTRACTS = Path(__file__).resolve().parent.parent / ".importlinter"

WIDTH = 460
MARGIN = 12
ARROW = 26  # the column of the arrow on the left
FONT = 13
CHARACTER = 7.9  # the width of a character in common monospace fonts of that size, rounded up
CHIP, GAP, PADDING = 24, 6, 7


@dataclass(frozen=True)
class Chip:
    """A module, with its place inside its layer."""

    name: str
    x: float
    y: float
    width: float


def layers(contract: str) -> list[list[str]]:
    """Return the modules of each layer of a contract of type "layers", top to bottom.

    import-linter separates modules of one layer by "|" or ":", and puts those that may be absent in parentheses.
    """
    parser = configparser.ConfigParser()
    parser.read(CONTRACTS, encoding="utf-8")
    lines = parser[f"importlinter:contract:{contract}"]["layers"].split("\n")
    return [[name.strip(" ()") for name in line.replace(":", "|").split("|")] for line in lines if line.strip()]


def picture(title: str, contract: str) -> str:
    """Return the SVG of a contract's layers, one band for each layer."""
    bands, y = [], MARGIN + 30.0
    for names in layers(contract):
        chips = list(_arranged(sorted(names)))
        height = chips[-1].y + CHIP + PADDING
        bands.append(_band(y, height, chips))
        y += height + GAP
    return "\n".join([*frame(title, y + MARGIN), _arrow(y), *bands, "</svg>", ""])


def _arranged(names: Sequence[str]) -> Iterator[Chip]:
    """Place the modules of a layer side by side, in as many lines as they need."""
    left = MARGIN + ARROW + PADDING
    x, y = float(left), float(PADDING)
    for name in names:
        width = len(name) * CHARACTER + 16
        if x > left and x + width > WIDTH - MARGIN - PADDING:
            x, y = float(left), y + CHIP + GAP
        yield Chip(name, x, y, width)
        x += width + GAP


def frame(title: str, height: float) -> list[str]:
    """Return the beginning of a picture: its background and title, and the name for screen readers."""
    namespace, area = "http://www.w3.org/2000/svg", f"0 0 {WIDTH} {height:g}"
    name = escape(title)
    size = f'width="{WIDTH}" height="{height:g}" viewBox="{area}"'
    return [
        f'<svg xmlns="{namespace}" {size} role="img" aria-label="{name}">',
        f"<title>{name}</title>",
        box(0.5, 0.5, WIDTH - 1, height - 1, 'rx="8" fill="#fff" stroke="#c8ced6"'),
        text(title, MARGIN, MARGIN + 16, 'font-family="sans-serif" font-weight="bold"'),
    ]


def _arrow(bottom: float) -> str:
    x = MARGIN + ARROW / 2 - 2
    shaft = f"M{x:g} {MARGIN + 34} V{bottom - GAP - 8:g} m-5 -8 l5 8 l5 -8"
    return f'<path d="{shaft}" fill="none" stroke="#52606d" stroke-width="2"/>'


def _band(y: float, height: float, chips: Sequence[Chip]) -> str:
    lines = [box(MARGIN + ARROW, y, WIDTH - 2 * MARGIN - ARROW, height, 'rx="5" fill="#eef2f6"')]
    for chip in chips:
        top, middle = y + chip.y, chip.x + chip.width / 2
        lines.append(box(chip.x, top, chip.width, CHIP, 'rx="4" fill="#fff" stroke="#7b8794"'))
        lines.append(text(chip.name, middle, top + 16.5, 'font-family="monospace" text-anchor="middle"'))
    return "\n".join(lines)


def box(x: float, y: float, width: float, height: float, look: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" {look}/>'


def text(words: str, x: float, y: float, look: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{FONT}" fill="#1f2933" {look}>{escape(words)}</text>'
