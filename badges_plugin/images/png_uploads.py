"""Uploaded PNG: checked before they are decoded, and written anew, so that nothing but the picture is kept."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from django.utils.translation import gettext as _
from PIL import Image

from badges_plugin.exceptions import RefusedImage
from badges_plugin.images.addresses import SIZES
from badges_plugin.images.png_drawing import encoded

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIDE = SIZES[-1]
"""Pictures are stored in this size, the largest that is shown, as squares."""

MIN_PIXELS = 90
"""What is shown at 96 pixels must not be blurred even there."""

# What Pillow raises for broken files, depending on where they are broken; ValueError for compressed texts that grow
# beyond its limits.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)


def accept_png(data: bytes, *, max_pixels: int) -> bytes:
    """Return the picture of a PNG file as a square one. Raises RefusedImage."""
    size = _checked_size(data, max_pixels)
    try:
        with Image.open(BytesIO(data), formats=["PNG"]) as image:
            if image.size != size:  # a second IHDR, which is what Pillow would decode
                raise ValueError("two sizes")
            is_animated = getattr(image, "is_animated", False)
            image.verify()
        with Image.open(BytesIO(data), formats=["PNG"]) as image:
            picture = _in_8_bits(image)
    except _BROKEN:
        raise _damaged() from None
    if is_animated:
        raise RefusedImage(_("This is an animated PNG. Upload a picture that does not move."))
    if picture.getchannel("A").getextrema()[1] == 0:
        raise RefusedImage(_("The picture is completely transparent."))
    return encoded(_squared(picture, SIDE))


def resized(png: bytes, size: int) -> bytes:
    """Return a stored picture in another size."""
    if size == SIDE:
        return png
    with Image.open(BytesIO(png), formats=["PNG"]) as image:
        return encoded(image.convert("RGBA").resize((size, size), Image.Resampling.LANCZOS))


def _checked_size(data: bytes, max_pixels: int) -> tuple[int, int]:
    """Return width and height as the first chunk has them, before anything is decoded. Raises RefusedImage."""
    if len(data) < 24 or data[12:16] != b"IHDR":
        raise _damaged()
    width, height = struct.unpack(">II", data[16:24])
    facts = {"width": width, "height": height}
    if max(width, height) > max_pixels:
        raise RefusedImage(
            _("The picture has %(width)s × %(height)s pixels. At most %(limit)s × %(limit)s are allowed.")
            % {**facts, "limit": max_pixels}
        )
    if max(width, height) < MIN_PIXELS:
        raise RefusedImage(
            _("The picture has only %(width)s × %(height)s pixels. At least one side must have %(limit)s.")
            % {**facts, "limit": MIN_PIXELS}
        )
    return width, height


def _damaged() -> RefusedImage:
    return RefusedImage(_("The PNG file is damaged. Save the picture again and upload that."))


def _in_8_bits(image: Image.Image) -> Image.Image:
    """Return a picture of any PNG mode as RGBA. Pillow makes 8 bits of 16 by itself, but for gray."""
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    return image.convert("RGBA")


def _squared(picture: Image.Image, side: int) -> Image.Image:
    """Return a picture scaled to fit into a square, in the middle of it. What is around it is transparent."""
    scale = side / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    square = Image.new("RGBA", (side, side))
    scaled = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    square.paste(scaled, ((side - size[0]) // 2, (side - size[1]) // 2))
    return square
