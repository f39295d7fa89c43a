"""Image files for tests, good and hostile, made as they are needed."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(width: int = 120, height: int = 120, mode: str = "RGB", color: Any = None, **options: Any) -> bytes:
    """Return a PNG of one color."""
    file = BytesIO()
    Image.new(mode, (width, height), color if color is not None else 1).save(file, "PNG", **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(width: int, height: int, depth: int, color_type: int, pixels: bytes, *others: bytes) -> bytes:
    """Return a PNG put together from chunks; ``others`` stand before the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0))
    return SIGNATURE + header + b"".join(others) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def chunks(data: bytes) -> list[bytes]:
    """Return the kinds of the chunks of a PNG."""
    found, place = [], len(SIGNATURE)
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        found.append(data[place + 4 : place + 8])
        place += length + 12
    return found


def opened(data: bytes) -> Image.Image:
    """Return the picture of a PNG as RGBA."""
    return Image.open(BytesIO(data), formats=["PNG"]).convert("RGBA")


def svg(inside: str = '<rect width="10" height="10"/>', attributes: str = 'viewBox="0 0 10 10"') -> bytes:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f"{attributes}>{inside}</svg>"
    ).encode()
