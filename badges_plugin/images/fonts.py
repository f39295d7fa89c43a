"""Fonts for what is drawn as PNG: DejaVu Sans Bold, which is part of this package, and those of the settings.

Containers of the Credentials service have no fonts, and Pillow's own has no letters beyond ASCII. DejaVu has Latin,
Greek, Cyrillic, Arabic, Hebrew and others; it has no Chinese, Japanese, Korean, Indic or Thai letters, and no emoji.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont, features

from badges_plugin.images import conf
from badges_plugin.images.letters import is_right_to_left

DEJAVU = str(Path(__file__).with_name("fonts") / "DejaVuSans-Bold.ttf")

# No font has a letter here: the last private use character. It is drawn as the sign of a missing letter.
_MISSING = "\U0010fffd"
_PROBE_SIZE = 20


@lru_cache(maxsize=64)
def font(path: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a font in a size in pixels. Raises OSError for a file that is no font."""
    return ImageFont.truetype(path, size)


def path_for(text: str) -> str | None:
    """Return the first font that has every letter of text, those of the settings first; None if no font has."""
    if not features.check("raqm") and (is_right_to_left(text) or any(unicodedata.combining(each) for each in text)):
        return None  # nothing would join the letters or put them in order
    return next((path for path in (*conf.config().fonts, DEJAVU) if all(_has(path, each) for each in text)), None)


@lru_cache(maxsize=4096)
def _has(path: str, letter: str) -> bool:
    if letter.isspace():
        return True
    if unicodedata.category(letter) in {"Cf", "Cs", "Co", "Cn"} or "\ufe00" <= letter <= "\ufe0f":
        # What joins emoji or selects a variant of a letter has no picture of its own: do not trust the font with it.
        return False
    try:
        return bytes(font(path, _PROBE_SIZE).getmask(letter)) != _missing(path)
    except OSError:  # no font: a system check has said so
        return False


@lru_cache(maxsize=16)
def _missing(path: str) -> bytes:
    return bytes(font(path, _PROBE_SIZE).getmask(_MISSING))


def direction_of(text: str) -> str | None:
    """Return how Pillow is to write text: None leaves it to the letters, which is left to right without raqm."""
    return "rtl" if is_right_to_left(text) else None
