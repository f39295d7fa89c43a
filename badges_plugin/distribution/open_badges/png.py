"""Badges in PNG: one iTXt chunk, right after the first.

https://www.imsglobal.org/spec/ob/v3p0/#png , https://www.w3.org/TR/png-3/#11iTXt
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from badges_plugin.distribution.open_badges import strict_json
from badges_plugin.distribution.open_badges.data import UnbakeablePicture

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"openbadgecredential"
#: Of Open Badges 1 and 2: a picture must not carry somebody else's badge beside ours.
_OLD_KEYWORD = b"openbadges"
_TEXTS = frozenset({b"iTXt", b"tEXt", b"zTXt"})
#: Length and type before a chunk's data, CRC after it.
_HEAD = struct.Struct(">I4s")
_CRC = struct.Struct(">I")
#: A picture of a megabyte has about 130. More only cost time.
_MAX_CHUNKS = 20_000


@dataclass(frozen=True, slots=True)
class _Chunk:
    kind: bytes
    data: memoryview
    whole: memoryview


def is_png(data: bytes) -> bool:
    """Return whether ``data`` begins like a PNG."""
    return data.startswith(_SIGNATURE)


def bake(png: bytes, text: str) -> bytes:
    """Return ``png`` with ``text`` as its badge; raise UnbakeablePicture if it is no whole PNG."""
    first, *others = _chunks(png)
    kept = [chunk.whole for chunk in others if not _is_badge(chunk)]
    return b"".join([_SIGNATURE, first.whole, _badge(text), *kept])


def extract(png: bytes) -> str | None:
    """Return the badge in ``png``; None if there is none, or more than one. Raises UnbakeablePicture."""
    found = [chunk for chunk in _chunks(png) if chunk.kind == b"iTXt" and _keyword(chunk) == _KEYWORD]
    return _text(bytes(found[0].data)) if len(found) == 1 else None


def _chunks(png: bytes) -> Iterator[_Chunk]:
    """Yield the chunks from IHDR to IEND. What follows them is no part of the picture."""
    if not is_png(png):
        raise UnbakeablePicture("not a PNG")
    view = memoryview(png)
    at = len(_SIGNATURE)
    for number in range(_MAX_CHUNKS):
        chunk = _chunk(view, at)
        if (chunk.kind == b"IHDR") != (number == 0):
            raise UnbakeablePicture("IHDR is not the first chunk")
        yield chunk
        if chunk.kind == b"IEND":
            return
        at += len(chunk.whole)
    raise UnbakeablePicture("too many chunks")


def _chunk(view: memoryview, at: int) -> _Chunk:
    if len(view) - at < _HEAD.size:
        raise UnbakeablePicture("the PNG ends before its end")
    length, kind = _HEAD.unpack_from(view, at)
    end = at + _HEAD.size + length + _CRC.size
    if end > len(view):
        raise UnbakeablePicture("a chunk is longer than the PNG")
    data = view[at + _HEAD.size : end - _CRC.size]
    if _crc(kind, data) != _CRC.unpack_from(view, end - _CRC.size)[0]:
        raise UnbakeablePicture("a chunk is damaged")
    return _Chunk(kind, data, view[at:end])


def _badge(text: str) -> bytes:
    # Keyword; not compressed, by no method; neither language nor translated keyword.
    data = _KEYWORD + b"\0" + b"\0\0" + b"\0" + b"\0" + text.encode()
    return _HEAD.pack(len(data), b"iTXt") + data + _CRC.pack(_crc(b"iTXt", memoryview(data)))


def _crc(kind: bytes, data: memoryview) -> int:
    return zlib.crc32(data, zlib.crc32(kind))


def _is_badge(chunk: _Chunk) -> bool:
    return chunk.kind in _TEXTS and _keyword(chunk) in {_KEYWORD, _OLD_KEYWORD}


def _keyword(chunk: _Chunk) -> bytes:
    return bytes(chunk.data[:80]).partition(b"\0")[0]


def _text(data: bytes) -> str | None:
    _keyword, _, rest = data.partition(b"\0")
    is_compressed, rest = rest[:1] == b"\1", rest[2:]
    _language, _, rest = rest.partition(b"\0")
    _translated, _, text = rest.partition(b"\0")
    if is_compressed:
        try:
            # Never unpacked further than a badge may be long.
            text = zlib.decompressobj().decompress(text, strict_json.MAX_BYTES + 1)
        except zlib.error as error:
            raise UnbakeablePicture("the badge is damaged") from error
    try:
        return text.decode() if len(text) <= strict_json.MAX_BYTES else None
    except UnicodeDecodeError as error:
        raise UnbakeablePicture("the badge is not UTF-8") from error
