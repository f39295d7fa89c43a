"""Draw designs as SVG. Text is drawn with the viewer's fonts, so every script works."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from badges_plugin.images.designs import LINE, Design, estimated_font_size
from badges_plugin.images.letters import is_right_to_left, plain
from badges_plugin.images.shapes import LAYERS, SIDE, Circle, Figure, Outline, Shape

_FONTS = "Segoe UI, Roboto, Noto Sans, Helvetica Neue, Liberation Sans, Arial, sans-serif"


def svg(design: Design, name: str = "") -> bytes:
    """Return a drawing as a file of its own, called ``name``."""
    return "".join(_parts(design, name)).encode()


def title(name: str) -> str:
    """Return the element for what screen readers and browsers call a drawing; empty without a name."""
    text = plain(name)
    return f"<title>{escape(text)}</title>" if text else ""


def _parts(design: Design, name: str) -> Iterator[str]:
    shape = design.figure
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" role="img">'
    yield title(name)
    figures = "".join(_element(figure) for figure in shape.figures)
    for color, scale, opacity in LAYERS:
        yield f"<g{_paint(shape, getattr(design.colors, color), scale, opacity)}>{figures}</g>"
    yield _text(design, *shape.center)
    yield "</svg>"


def _paint(shape: Shape, color: str, scale: float, opacity: float) -> str:
    paint = f' fill="{color}"'
    if shape.stroke:
        paint += f' stroke="{color}" stroke-width="{shape.stroke:g}" stroke-linejoin="round"'
    if scale != 1:
        x, y = shape.center
        paint += f' transform="translate({x:g} {y:g}) scale({scale:g}) translate({-x:g} {-y:g})"'
    return paint + (f' opacity="{opacity:g}"' if opacity != 1 else "")


def _element(figure: Figure) -> str:
    if isinstance(figure, Circle):
        x, y = figure.center
        return f'<circle cx="{x:g}" cy="{y:g}" r="{figure.radius:g}"/>'
    if isinstance(figure, Outline):
        steps = "".join(("L" if len(step) == 1 else "C") + _points(step) for step in figure.steps)
        return f'<path d="M{_points((figure.start,))}{steps}Z"/>'
    return f'<polygon points="{_points(figure.points)}"/>'


def _points(points: tuple[tuple[float, float], ...]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _text(design: Design, x: float, y: float) -> str:
    text = plain(design.text)
    if not text:
        return ""
    size = estimated_font_size(design)
    direction = ' direction="rtl"' if is_right_to_left(text) else ""
    return (
        f'<text x="{x:g}" y="{y + LINE * size:g}" text-anchor="middle"{direction} fill="#ffffff" '
        f'font-family="{_FONTS}" font-size="{size}" font-weight="600">{escape(text)}</text>'
    )
