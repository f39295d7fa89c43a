"""The typed view of BADGES_CONFIG["images"]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from PIL import ImageFont

from badges_plugin.sections import Section

_DEFAULTS: dict[str, object] = {"max_bytes": 1_000_000, "max_pixels": 4096, "fonts": ()}

# What a request may be at most where Tutor's Caddy is in front, and what decoding a picture may cost: 268 MB of memory.
_MAX_BYTES, _MAX_PIXELS = 10_000_000, 8192


@dataclass(frozen=True, slots=True)
class ImagesConfig:
    """Limits of uploads: the size of the file, and the width and height of a PNG. Paths of fonts."""

    max_bytes: int
    max_pixels: int
    fonts: tuple[str, ...]


def config() -> ImagesConfig:
    """Return the settings of images, with their defaults.

    .. setting_name: BADGES_CONFIG["images"]
    .. setting_default: {"max_bytes": 1000000, "max_pixels": 4096, "fonts": []}
    .. setting_description: ``max_bytes`` and ``max_pixels`` limit uploaded images: the size of the file, and width and
        height of a PNG. ``fonts`` has paths of font files (TrueType or OpenType) for letters that the font of this
        package, DejaVu Sans Bold, lacks.

    Raises ImproperlyConfigured, naming the key, when a value cannot be used.
    """
    values = Section("images", _DEFAULTS)
    return ImagesConfig(
        max_bytes=values.whole_number("max_bytes", 1000, _MAX_BYTES),
        max_pixels=values.whole_number("max_pixels", 1000, _MAX_PIXELS),
        fonts=_fonts(values["fonts"]),
    )


def problems() -> list[str]:
    """Return what is wrong with the font files. Reads them."""
    return [
        f'BADGES_CONFIG["images"]["fonts"] names a file that cannot be read as a font: {path}'
        for path in config().fonts
        if not _is_font(path)
    ]


def _is_font(path: str) -> bool:
    try:
        ImageFont.truetype(path, 20)
    except OSError:
        return False
    return True


def _fonts(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(each, str) for each in value):
        raise ImproperlyConfigured('BADGES_CONFIG["images"]["fonts"] must be a list of paths.')
    relative = [each for each in value if not Path(each).is_absolute()]
    if relative:
        raise ImproperlyConfigured(f'BADGES_CONFIG["images"]["fonts"] must have absolute paths, not {relative[0]!r}.')
    return tuple(value)
