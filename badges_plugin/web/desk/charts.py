"""Charts as SVG, drawn here: where the bars stand, and what the axis says. Pure; a template writes the elements.

What was gained stands above the line and what was lost hangs below it, in one scale. The figures are in a table beside
each chart, so that a chart has to be exact only for the eye.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from badges_plugin.counting import in_thousands

WIDTH, HEIGHT = 640, 240
"""Of the view box; a page scales it."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 10, 14, 30
_GAP = 0.2
"""Of the width of a span, what stays free on both sides together."""
_LEAST = 2.0
"""The height of a bar that stands for anything."""
_TICKS = 4
MOST_LABELS = 8
_LETTER, _SPACE = 9, 10
"""The room that a letter takes where the chart is small and its texts are large, and that between two labels."""


@dataclass(frozen=True)
class Series:
    """Values of one kind, one for each span. ``name`` is that of the class by which a style sheet knows it."""

    name: str
    values: Sequence[int]
    hangs: bool = False


@dataclass(frozen=True)
class Bar:
    """A rectangle."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Tick:
    """A line across the chart. ``value`` is never negative: what hangs is counted, too."""

    y: float
    value: int

    @property
    def text(self) -> str:
        return in_thousands(self.value)

    @property
    def text_y(self) -> float:
        """Return where the text stands, so that its middle is on the line."""
        return round(self.y + 4, 1)


@dataclass(frozen=True)
class Label:
    """The name of a span, below its middle."""

    x: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A chart that is ready to be written."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    labels_y: int = HEIGHT - 8
    tick_x: int = _LEFT - 8
    middle: int = (WIDTH + _LEFT) // 2
    middle_y: int = HEIGHT // 2

    @property
    def is_empty(self) -> bool:
        return not self.bars


def draw(labels: Sequence[str], series: Sequence[Series]) -> Chart:
    """Return a chart of several values for each label."""
    up = max((value for each in series if not each.hangs for value in each.values), default=0)
    down = max((value for each in series if each.hangs for value in each.values), default=0)
    step = step_of(up, down)
    scale = _Scale(up, down, step)
    span = (WIDTH - _LEFT - _RIGHT) / max(len(labels), 1)
    bars = tuple(_bars(series, span, scale))
    room = max(map(len, labels), default=0) * _LETTER + _SPACE
    every = max(math.ceil(len(labels) / MOST_LABELS), math.ceil(room / span))
    shown = [Label(round(_LEFT + (number + 0.5) * span, 1), labels[number]) for number in range(0, len(labels), every)]
    return Chart(bars, tuple(scale.ticks()), tuple(shown))


def step_of(up: int, down: int = 0) -> int:
    """Return the distance of two lines: 1, 2 or 5 of a power of ten, so that there are few."""
    largest, power = max(up, down, 1), 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if largest <= step * _TICKS:
                return step
        power *= 10


class _Scale:
    """Where values stand. The line of zero is as far up as what hangs below it needs."""

    def __init__(self, up: int, down: int, step: int) -> None:
        self._up, self._down, self._step = max(up, step), down, step
        self._unit = (HEIGHT - _TOP - _BOTTOM) / (self._up + self._down)
        self.zero = _TOP + self._up * self._unit

    def height(self, value: int) -> float:
        return max(value * self._unit, _LEAST)

    def ticks(self) -> Iterator[Tick]:
        for value in range(0, self._up + 1, self._step):
            yield Tick(round(self.zero - value * self._unit, 1), value)
        for value in range(self._step, self._down + 1, self._step):
            yield Tick(round(self.zero + value * self._unit, 1), value)


def _bars(series: Sequence[Series], span: float, scale: _Scale) -> Iterator[Bar]:
    """Yield the bars of each span: side by side what stands, and below it, side by side, what hangs."""
    for hangs in (False, True):
        beside = [each for each in series if each.hangs == hangs]
        width = span * (1 - _GAP) / max(len(beside), 1)
        for place, each in enumerate(beside):
            for number, value in enumerate(each.values):
                if not value:
                    continue
                x = _LEFT + number * span + span * _GAP / 2 + place * width
                height = scale.height(value)
                y = scale.zero if hangs else scale.zero - height
                yield Bar(each.name, round(x, 1), round(y, 1), round(width * 0.94, 1), round(height, 1))
