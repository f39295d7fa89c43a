"""Draw designs as PNG, like ``svg_drawing``: each edge is drawn larger, then scaled down, which smooths it."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw

from badges_plugin.images import fonts
from badges_plugin.images.designs import LINE, Design, font_size
from badges_plugin.images.letters import plain
from badges_plugin.images.shapes import LAYERS, SIDE, Circle, Outline, Point, Shape

_TIMES = 4
_CURVE = 24  # pieces of a curve

Pen = ImageDraw.ImageDraw


def png(design: Design, size: int) -> bytes:
    """Return a drawing of ``size`` by ``size`` pixels, transparent around the shape."""
    return encoded(draw(design, size))


def encoded(image: Image.Image) -> bytes:
    """Return an image as a PNG file, with nothing in it but the picture."""
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def draw(design: Design, size: int) -> Image.Image:
    """Return a drawing of ``size`` by ``size`` pixels."""
    shape, colors = design.figure, design.colors
    # Begun in the color of the rim, without opacity: smoothing mixes the colors of neighbors.
    image = Image.new("RGBA", (size, size), colors.rim + "00")
    for color, scale, opacity in LAYERS:
        mask = _mask(shape, size, scale)
        if opacity != 1:
            mask = mask.point([int(value * opacity) for value in range(256)])
        layer = Image.new("RGBA", (size, size), getattr(colors, color))
        layer.putalpha(mask)
        image.alpha_composite(layer)
    _write(image, design)
    return image


def _mask(shape: Shape, size: int, scale: float) -> Image.Image:
    """Return where a layer of the shape is."""
    mask = Image.new("L", (size * _TIMES, size * _TIMES))
    pen = ImageDraw.Draw(mask)
    unit = size * _TIMES / SIDE

    def place(point: Point) -> Point:
        (x, y), (center_x, center_y) = point, shape.center
        return (center_x + (x - center_x) * scale) * unit, (center_y + (y - center_y) * scale) * unit

    for figure in shape.figures:
        if isinstance(figure, Circle):
            _disc(pen, place(figure.center), figure.radius * scale * unit)
            continue
        points = _outline(figure) if isinstance(figure, Outline) else figure.points
        _polygon(pen, [place(point) for point in points], shape.stroke * scale * unit)
    return mask.reduce(_TIMES)


def _disc(pen: Pen, center: Point, radius: float) -> None:
    x, y = center
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def _polygon(pen: Pen, points: list[Point], stroke: float) -> None:
    """Fill a polygon and what a round pen of width ``stroke`` adds to it."""
    pen.polygon(points, fill=255)
    if stroke:
        pen.line([*points, points[0]], fill=255, width=round(stroke))
        for point in points:
            _disc(pen, point, stroke / 2)


def _outline(figure: Outline) -> list[Point]:
    points = [figure.start]
    for step in figure.steps:
        if len(step) == 1:
            points.append(step[0])
        else:
            points += _curve(points[-1], *step)
    return points


def _curve(start: Point, first: Point, second: Point, end: Point) -> list[Point]:
    """Return points of a cubic Bézier curve, without its start."""
    found = []
    for number in range(1, _CURVE + 1):
        there = number / _CURVE
        back = 1 - there
        parts = back**3, 3 * back**2 * there, 3 * back * there**2, there**3
        corners = (start, first, second, end)
        found.append(
            (
                sum(part * corner[0] for part, corner in zip(parts, corners, strict=True)),
                sum(part * corner[1] for part, corner in zip(parts, corners, strict=True)),
            )
        )
    return found


def _write(image: Image.Image, design: Design) -> None:
    """Write the text; without it, if no font has all its letters."""
    text = plain(design.text)
    path = fonts.path_for(text) if text else None
    if path is None:
        return
    shape = design.figure
    direction = fonts.direction_of(text)
    unit = image.width / SIDE
    # Measured large, for widths are whole pixels.
    size = font_size(shape.room, fonts.font(path, 100).getlength(text, direction=direction) / 100) * unit
    x, y = shape.center
    ImageDraw.Draw(image).text(
        (x * unit, y * unit + LINE * size),
        text,
        fill="#ffffff",
        font=fonts.font(path, max(1, round(size))),
        anchor="ms",
        direction=direction,
    )
