"""What a drawn image is made of, and which a template has if nobody chose one."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from badges_plugin.images.letters import estimated_width, letters_of
from badges_plugin.images.shapes import COLORS, SHAPES, Color, Shape

# The defaults are chosen from these by number. Shapes and colors that are added later do not join them: the images
# of templates, some of them in signed badges, would change.
_DEFAULT_SHAPES = ("hexagon", "shield", "square", "octagon", "circle", "arch", "star", "rosette", "flower", "pentagon")
_DEFAULT_COLORS = ("navy", "teal", "forest", "plum", "burgundy", "indigo", "ocher", "slate")

_LARGEST, _SMALLEST = 74, 16
LINE = 0.35
"""How far below the center a line of text stands, in units of its size: half the height of a capital letter."""


@dataclass(frozen=True, slots=True)
class Design:
    """The names of a shape and a color, and a text of at most about eight letters, which may be empty."""

    shape: str
    color: str
    text: str = ""

    @property
    def figure(self) -> Shape:
        """The shape; of a name that this version does not know, the first."""
        return SHAPES.get(self.shape) or SHAPES[_DEFAULT_SHAPES[0]]

    @property
    def colors(self) -> Color:
        return COLORS.get(self.color) or COLORS[_DEFAULT_COLORS[0]]


def default_design(uuid: UUID, name: str) -> Design:
    """Return the design of a template that has no other: always the same for a UUID, with letters from the name."""
    drawn = sha256(uuid.bytes).digest()
    return Design(
        shape=_DEFAULT_SHAPES[drawn[0] % len(_DEFAULT_SHAPES)],
        color=_DEFAULT_COLORS[drawn[1] % len(_DEFAULT_COLORS)],
        text=letters_of(name),
    )


def font_size(room: float, width: float) -> int:
    """Return the size at which text fits into ``room``; ``width`` is its width at size 1."""
    return max(_SMALLEST, min(_LARGEST, int(room / width))) if width else _LARGEST


def estimated_font_size(design: Design) -> int:
    """Return the size of the text where the font is the viewer's, and unknown."""
    return font_size(design.figure.room, estimated_width(design.text))
