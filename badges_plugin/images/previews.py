"""Link previews: the picture of 1200 by 630 pixels that other sites show beside a link to a badge.

It has no name of a learner. A name of a badge in letters that no font has is left out; the page that the link leads to
tells it as text.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from io import BytesIO

from PIL import Image, ImageDraw

from badges_plugin.images import fonts
from badges_plugin.images.letters import clusters, is_right_to_left, plain
from badges_plugin.images.pictures import Picture
from badges_plugin.images.png_drawing import encoded

SIZE = 1200, 630

_PAPER, _BRAND, _INK = "#ffffff", "#1d4477", "#1a1f28"
_MARGIN, _BADGE, _GAP, _BAR = 88, 340, 72, 14
_ISSUER_SIZE, _BETWEEN = 30, 20
_NAME_SIZES = (82, 72, 64, 56, 48, 40)
_MAX_LINES = 4
_LEADING = 1.15
_LONGEST = 255  # letters that are looked at, which is what the name of a template may have


def preview_digest(picture: Picture, issuer: str) -> str:
    """Return the digest of a link preview, which differs for each badge, name and issuer."""
    return sha256(f"{picture.digest}\0{plain(issuer)}".encode()).hexdigest()[:32]


def preview_png(picture: Picture, issuer: str) -> bytes:
    """Return the link preview of a badge as PNG."""
    image = Image.new("RGB", SIZE, _PAPER)
    width, height = SIZE
    middle = (height - _BAR) // 2
    ImageDraw.Draw(image).rectangle((0, height - _BAR, width, height), fill=_BRAND)
    name = plain(picture.alt)[:_LONGEST]
    text_width = width - 2 * _MARGIN - _BADGE - _GAP
    words = _Words(name, text_width)
    by = _Words(plain(issuer)[:_LONGEST], text_width, sizes=(_ISSUER_SIZE,), max_lines=1)
    is_mirrored = is_right_to_left(name)
    side = (width - _BADGE) // 2
    if words.lines or by.lines:
        side = width - _MARGIN - _BADGE if is_mirrored else _MARGIN
    with Image.open(BytesIO(picture.png(_BADGE)), formats=["PNG"]) as badge:
        image.paste(badge, (side, middle - _BADGE // 2), badge)
    edge = side - _GAP if is_mirrored else _MARGIN + _BADGE + _GAP
    between = _BETWEEN if by.lines and words.lines else 0
    top = middle - (by.height + between + words.height) / 2
    by.draw(image, edge, top, _BRAND, is_mirrored)
    words.draw(image, edge, top + by.height + between, _INK, is_mirrored)
    return encoded(image)


class _Words:
    """A text in lines that fit, in the largest size that allows it; no lines where no font has its letters."""

    def __init__(
        self, text: str, width: int, sizes: tuple[int, ...] = _NAME_SIZES, max_lines: int = _MAX_LINES
    ) -> None:
        self.lines: list[str] = []
        self.size = sizes[-1]
        self._path = fonts.path_for(text) if text else None
        if self._path is None:
            return
        for self.size in sizes:
            self.lines = _wrapped(text, width, self._measure)
            if len(self.lines) <= max_lines and all(self._measure(line) <= width for line in self.lines):
                return
        if len(self.lines) > max_lines:
            self.lines = [*self.lines[: max_lines - 1], _shortened(self.lines[max_lines - 1], width, self._measure)]

    @property
    def height(self) -> float:
        return len(self.lines) * self.size * _LEADING

    def draw(self, image: Image.Image, edge: float, top: float, color: str, is_mirrored: bool) -> None:
        if self._path is None:
            return
        pen, font = ImageDraw.Draw(image), fonts.font(self._path, self.size)
        for number, line in enumerate(self.lines):
            baseline = top + (number + 0.8) * self.size * _LEADING
            anchor = "rs" if is_mirrored else "ls"
            pen.text((edge, baseline), line, fill=color, font=font, anchor=anchor, direction=fonts.direction_of(line))

    def _measure(self, line: str) -> float:
        return fonts.font(self._path or fonts.DEJAVU, self.size).getlength(line, direction=fonts.direction_of(line))


def _wrapped(text: str, width: int, measure: Callable[[str], float]) -> list[str]:
    """Divide text into lines between words, and words that are too long between letters."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        joined = f"{line} {word}".strip()
        if measure(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = _pieces(word, width, measure)
        lines += whole
    return [*lines, line] if line else lines


def _pieces(word: str, width: int, measure: Callable[[str], float]) -> list[str]:
    pieces = [""]
    for letter in clusters(word):
        if pieces[-1] and measure(pieces[-1] + letter) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _shortened(line: str, width: int, measure: Callable[[str], float]) -> str:
    """Return the beginning of a line that goes on, with an ellipsis."""
    letters = clusters(line)
    while letters and measure("".join(letters) + "…") > width:
        letters.pop()
    return "".join(letters) + "…"
