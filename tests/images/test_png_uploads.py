"""Uploaded PNG, and what both kinds of upload have in common: checked, and made new."""

from __future__ import annotations

import re
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from badges_plugin.exceptions import RefusedImage
from badges_plugin.images.png_uploads import accept_png, resized
from badges_plugin.images.uploads import accept
from badges_plugin.models import ImageKind
from tests.images.making import chunk, chunks, opened, png, raw_png, svg

RED = (255, 0, 0, 255)


def accepted(data: bytes) -> bytes:
    return accept_png(data, max_pixels=4096)


@pytest.mark.parametrize(
    ("data", "color"),
    [
        (png(color=(255, 0, 0)), RED),
        (png(mode="RGBA", color=(255, 0, 0, 128)), (255, 0, 0, 128)),
        (png(mode="L", color=100), (100, 100, 100, 255)),
        (png(mode="LA", color=(100, 51)), (100, 100, 100, 51)),
        (png(mode="1", color=1), (255, 255, 255, 255)),
        (png(mode="P", color=0, transparency=b"\x80"), (0, 0, 0, 128)),
        # 16 bits: gray, RGB, gray with opacity
        (raw_png(90, 90, 16, 0, (b"\0" + b"\x80\x00" * 90) * 90), (128, 128, 128, 255)),
        (raw_png(90, 90, 16, 0, (b"\0" + b"\xff\xff" * 90) * 90), (255, 255, 255, 255)),
        (raw_png(90, 90, 16, 2, (b"\0" + b"\xff\xff\0\0\0\0" * 90) * 90), RED),
        (raw_png(90, 90, 16, 4, (b"\0" + b"\xff\xff\x80\x00" * 90) * 90), (255, 255, 255, 128)),
    ],
)
def test_every_kind_of_png_becomes_a_square_of_600_pixels(data: bytes, color: tuple[int, ...]) -> None:
    picture = opened(accepted(data))
    assert picture.size == (600, 600)
    assert picture.getpixel((300, 300)) == color


@pytest.mark.parametrize(("width", "height", "box"), [(400, 100, (0, 225, 600, 375)), (1, 90, (296, 0, 303, 600))])
def test_what_is_not_square_is_padded(width: int, height: int, box: tuple[int, ...]) -> None:
    picture = opened(accepted(png(width, height, color=(255, 0, 0))))
    assert picture.size == (600, 600)
    assert picture.getchannel("A").getbbox() == box
    assert picture.getpixel((300, 300)) == RED


def test_nothing_but_the_picture_is_kept() -> None:
    foreign = PngInfo()
    foreign.add_text("Author", "Ann")
    foreign.add_itxt("openbadgecredential", '{"old": true}')
    exif = Image.Exif()
    exif[0x010E] = "secret"
    data = png(color=(255, 0, 0), pnginfo=foreign, exif=exif, icc_profile=b"secret" * 40, dpi=(72, 72))
    assert {b"tEXt", b"iTXt", b"eXIf", b"iCCP", b"pHYs"} <= set(chunks(data))
    result = accepted(data + b"<script>behind the end</script>")
    assert set(chunks(result)) == {b"IHDR", b"IDAT", b"IEND"}
    assert b"secret" not in result
    assert b"script" not in result


def animated() -> bytes:
    file = BytesIO()
    frames = [Image.new("RGB", (90, 90), color) for color in ("red", "blue")]
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    return file.getvalue()


GOOD = png(color=(255, 0, 0))
LINES = (b"\0" + b"\xff\0\0" * 90) * 90


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (GOOD[:20], "damaged"),
        (GOOD[:-30], "damaged"),
        (GOOD[:60] + b"\0\0\0\0" + GOOD[64:], "damaged"),
        (GOOD[:8] + chunk(b"IEND", b""), "damaged"),
        (raw_png(90, 90, 8, 2, LINES[:100]), "damaged"),
        (raw_png(90, 90, 3, 2, LINES), "damaged"),
        (raw_png(0, 90, 8, 2, LINES), "damaged"),
        # What decoding would cost is said in a second header.
        (raw_png(90, 90, 8, 2, LINES, chunk(b"IHDR", struct.pack(">IIBBBBB", 90, 80, 8, 2, 0, 0, 0))), "damaged"),
        (raw_png(90, 90, 8, 2, LINES, chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(80_000_000)))), "damaged"),
        (raw_png(4097, 90, 8, 2, LINES), "4097 × 90 pixels. At most 4096 × 4096"),
        (raw_png(2**31 - 1, 2**31 - 1, 8, 2, b""), "At most 4096 × 4096"),
        (raw_png(20_000, 20_000, 1, 0, b""), "At most 4096 × 4096"),
        (png(89, 80), "only 89 × 80 pixels. At least one side must have 90"),
        (animated(), "animated"),
        (png(mode="RGBA", color=(255, 0, 0, 0)), "completely transparent"),
    ],
    ids=str,
)
def test_a_png_that_cannot_be_used_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(RefusedImage, match=re.escape(reason)):
        accepted(data)


@pytest.mark.parametrize("size", [96, 192])
def test_a_picture_is_shown_in_other_sizes(size: int) -> None:
    stored = accepted(png(color=(255, 0, 0)))
    smaller = opened(resized(stored, size))
    assert smaller.size == (size, size)
    assert smaller.getpixel((size // 2, size // 2)) == RED
    assert resized(stored, 600) is stored


def upload(data: bytes, name: str = "badge.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/png")


def test_the_kind_of_a_file_is_what_is_in_it() -> None:
    assert accept(upload(GOOD, "badge.svg")).kind is ImageKind.PNG
    assert accept(upload(svg(), "badge.png")).kind is ImageKind.SVG


@pytest.mark.parametrize(
    ("data", "only_png", "reason"),
    [
        (b"", False, "empty"),
        (b"\xff\xd8\xff\xe0JFIF", False, "Only PNG and SVG"),
        (b"GIF89a", False, "Only PNG and SVG"),
        (b"RIFF\0\0\0\0WEBP", False, "Only PNG and SVG"),
        (b"%PDF-1.4", False, "Only PNG and SVG"),
        (b"<!DOCTYPE html><html></html>", False, "document type"),
        (b"\x1f\x8b\x08svgz", False, "neither"),
        (svg(), True, "not a PNG"),
        (b"x" * 1001, False, "At most 1000"),
    ],
)
def test_other_files_are_refused_with_a_reason(data: bytes, only_png: bool, reason: str, settings: Any) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "images": {"max_bytes": 1000}}
    with pytest.raises(RefusedImage, match=reason):
        accept(upload(data), only_png=only_png)
