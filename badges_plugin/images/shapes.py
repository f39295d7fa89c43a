"""The shapes and colors of designs, in a square of 200 units.

One description serves both drawings: ``svg_drawing`` writes figures as elements, ``png_drawing`` fills their outlines.
A shape is drawn four times, one inside the other, scaled about its center: rim, edge, line and body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, pi, sin

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SIDE = 200

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Circle:
    center: Point
    radius: float


@dataclass(frozen=True, slots=True)
class Polygon:
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed path that begins at ``start``: a step of one point is a line, one of three a cubic Bézier curve."""

    start: Point
    steps: tuple[tuple[Point, ...], ...]


Figure = Circle | Polygon | Outline


@dataclass(frozen=True, slots=True)
class Shape:
    """``stroke`` widens the figures and rounds their corners. ``room`` is the width for a line of text."""

    label: str | Promise
    figures: tuple[Figure, ...]
    center: Point = (100, 100)
    stroke: float = 0
    room: float = 122


@dataclass(frozen=True, slots=True)
class Color:
    """Colors as #rrggbb. White on ``body`` has a contrast of at least 4.5."""

    label: str | Promise
    rim: str
    edge: str
    body: str


LAYERS = ("rim", 1.0, 1.0), ("edge", 0.93, 1.0), ("rim", 0.815, 0.7), ("body", 0.795, 1.0)
"""What is drawn, in this order: a color, the scale and the opacity."""


def _ring(count: int, radius: float, center: Point = (100, 100), turn: float = -90) -> tuple[Point, ...]:
    angles = [(turn + 360 * number / count) * pi / 180 for number in range(count)]
    return tuple((round(center[0] + radius * cos(a), 1), round(center[1] + radius * sin(a), 1)) for a in angles)


def _rosette(teeth: int = 16, radius: float = 90.5, depth: float = 3.5, steps: int = 128) -> tuple[Point, ...]:
    angles = [2 * pi * number / steps for number in range(steps)]
    radii = [radius + depth * cos(teeth * angle) for angle in angles]
    return tuple((round(100 + r * sin(a), 1), round(100 - r * cos(a), 1)) for r, a in zip(radii, angles, strict=True))


_SHIELD = Outline(
    (100, 14),
    (((178, 32),), ((178, 98),), ((178, 144), (144, 172), (100, 188)), ((56, 172), (22, 144), (22, 98)), ((22, 32),)),
)
_ARCH = Outline(
    (26, 186),
    (((26, 94),), ((26, 48), (58, 14), (100, 14)), ((142, 14), (174, 48), (174, 94)), ((174, 186),)),
)

SHAPES: Mapping[str, Shape] = {
    "hexagon": Shape(_("Hexagon"), (Polygon(_ring(6, 90)),), stroke=12),
    "shield": Shape(_("Shield"), (_SHIELD,), center=(100, 96), stroke=10),
    "square": Shape(_("Square"), (Polygon(((58, 58), (142, 58), (142, 142), (58, 142))),), stroke=88),
    "octagon": Shape(_("Octagon"), (Polygon(_ring(8, 90, turn=-67.5)),), stroke=10, room=128),
    "circle": Shape(_("Circle"), (Circle((100, 100), 92),), room=126),
    "arch": Shape(_("Arch"), (_ARCH,), center=(100, 106), stroke=12, room=114),
    "star": Shape(_("Star"), (Polygon(_ring(4, 90)), Polygon(_ring(4, 90, turn=-45))), stroke=8, room=108),
    "rosette": Shape(_("Rosette"), (Polygon(_rosette()),), room=124),
    "flower": Shape(_("Flower"), (*(Circle(center, 30) for center in _ring(8, 62)), Circle((100, 100), 68)), room=118),
    "pentagon": Shape(_("Pentagon"), (Polygon(_ring(5, 90)),), center=(100, 106), stroke=16, room=112),
    "diamond": Shape(_("Diamond"), (Polygon(_ring(4, 84)),), stroke=26, room=108),
}

COLORS: Mapping[str, Color] = {
    "navy": Color(_("Navy"), "#d9e5f5", "#1b3a68", "#24497f"),
    "teal": Color(_("Teal"), "#d5ecec", "#0c4f54", "#13636a"),
    "forest": Color(_("Forest green"), "#dcefdf", "#22502f", "#2c653c"),
    "plum": Color(_("Plum"), "#ecdff2", "#4f2661", "#643579"),
    "burgundy": Color(_("Burgundy"), "#f6dfe4", "#6d1c31", "#862a41"),
    "indigo": Color(_("Indigo"), "#e1e1f6", "#33327d", "#434296"),
    "ocher": Color(_("Ocher"), "#f7e8cd", "#6a4200", "#805208"),
    "slate": Color(_("Slate gray"), "#e0e5eb", "#333d4b", "#434f5f"),
}
