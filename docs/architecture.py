"""Draw the layers of the architecture page from the contracts in ``.importlinter``."""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import svg

CONTRACTS = Path(__file__).resolve().parent.parent / ".importlinter"

WIDTH = 460
MARGIN = svg.MARGIN
ARROW = 26  # the column of the arrow on the left
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
    return "\n".join([*_head(title, y), *bands, "</svg>", ""])


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


def _head(title: str, bottom: float) -> list[str]:
    """Return the beginning of the picture, with the arrow that points down."""
    x = MARGIN + ARROW / 2 - 2
    shaft = f"M{x:g} {MARGIN + 34} V{bottom - GAP - 8:g} m-5 -8 l5 8 l5 -8"
    return [
        *svg.frame(title, WIDTH, bottom + MARGIN),
        f'<path d="{shaft}" fill="none" stroke="{svg.LINE}" stroke-width="2"/>',
    ]


def _band(y: float, height: float, chips: Sequence[Chip]) -> str:
    lines = [svg.box(MARGIN + ARROW, y, WIDTH - 2 * MARGIN - ARROW, height, 'rx="5" fill="#eef2f6"')]
    for chip in chips:
        top, middle = y + chip.y, chip.x + chip.width / 2
        lines.append(svg.box(chip.x, top, chip.width, CHIP, 'rx="4" fill="#fff" stroke="#7b8794"'))
        lines.append(svg.text(chip.name, middle, top + 16.5, 'font-family="monospace" text-anchor="middle"'))
    return "\n".join(lines)
