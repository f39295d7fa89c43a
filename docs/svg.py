"""Draw simple pictures as SVG: boxes, texts and arrows.

Fixed colors on a background of their own, so that they are readable on light and dark pages; narrow enough for a phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

FONT = 13
INK, LINE, PALE, WHITE = "#1f2933", "#52606d", "#eef2f6", "#fff"
MARGIN = 12

Point = tuple[float, float]


def frame(title: str, width: float, height: float) -> list[str]:
    """Return the beginning of a picture: its ground and title, and the name for screen readers."""
    namespace, view = "http://www.w3.org/2000/svg", f"0 0 {width:g} {height:g}"
    name, size = escape(title), f'width="{width:g}" height="{height:g}"'
    return [
        f'<svg xmlns="{namespace}" {size} viewBox="{view}" role="img" aria-label="{name}">',
        f"<title>{name}</title>",
        box(0.5, 0.5, width - 1, height - 1, f'rx="8" fill="{WHITE}" stroke="#c8ced6"'),
        text(title, MARGIN, MARGIN + 16, 'font-family="sans-serif" font-weight="bold"'),
    ]


def box(x: float, y: float, width: float, height: float, look: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" {look}/>'


def text(words: str, x: float, y: float, look: str, size: float = FONT) -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{INK}" {look}>{escape(words)}</text>'


def card(x: float, y: float, width: float, title: str, *lines: str, fill: str = PALE) -> str:
    """Return a box with a title and lines below it. ``height_of`` tells how high it is."""
    middle = x + width / 2
    parts = [box(x, y, width, height_of(lines), f'rx="5" fill="{fill}" stroke="#7b8794"')]
    parts.append(text(title, middle, y + 19, 'font-family="sans-serif" font-weight="bold" text-anchor="middle"'))
    for number, line in enumerate(lines, 1):
        parts.append(text(line, middle, y + 19 + 17 * number, 'font-family="sans-serif" text-anchor="middle"', 12))
    return "\n".join(parts)


def height_of(lines: Sequence[str]) -> float:
    return 30 + 17 * len(lines)


def arrow(*points: Point, label: str = "", at: Point = (0, 0)) -> str:
    """Return a line through the points, with a head at the last one, and a label at its place."""
    (x, y), (before_x, before_y) = points[-1], points[-2]
    across, down = (x > before_x) - (x < before_x), (y > before_y) - (y < before_y)
    back_x, back_y = x - 7 * across, y - 7 * down
    path = " L".join(f"{left:g} {top:g}" for left, top in points)
    wings = (back_x - 4 * down, back_y - 4 * across), (back_x + 4 * down, back_y + 4 * across)
    head = " L".join(f"{left:g} {top:g}" for left, top in (wings[0], (x, y), wings[1]))
    drawn = f'<path d="M{path} M{head}" fill="none" stroke="{LINE}" stroke-width="1.5"/>'
    return drawn + ("\n" + text(label, *at, 'font-family="sans-serif"', 12) if label else "")


def number(which: int, x: float, y: float) -> str:
    """Return a number in a circle, for an arrow that the page explains."""
    circle = f'<circle cx="{x:g}" cy="{y:g}" r="9" fill="{WHITE}" stroke="{LINE}"/>'
    return circle + "\n" + text(str(which), x, y + 4, 'font-family="sans-serif" text-anchor="middle"', 11)
