"""The bits of a BitstringStatusList: which of its badges are revoked.

https://www.w3.org/TR/vc-bitstring-status-list/#bitstring-encoding : GZIP, then base64url without padding with the
multibase prefix "u". Index 0 is the highest bit of the first byte.
"""

from __future__ import annotations

import gzip
import zlib

from badges_plugin.distribution.open_badges import multikey

#: Bits of one list: the least that the specification allows, so that one badge hides among many.
LENGTH = 131_072
_PREFIX = "u"


def empty() -> bytes:
    """Return the bits of a list in which nothing is revoked."""
    return bytes(LENGTH // 8)


def is_set(bits: bytes, index: int) -> bool:
    """Return whether the bit of ``index`` is set; raise IndexError if the list has no such index."""
    byte, mask = _place(bits, index)
    return bool(bits[byte] & mask)


def with_bit(bits: bytes, index: int, *, value: bool = True) -> bytes:
    """Return a copy of ``bits`` in which the bit of ``index`` is ``value``."""
    byte, mask = _place(bits, index)
    changed = bytearray(bits)
    changed[byte] = bits[byte] | mask if value else bits[byte] & ~mask
    return bytes(changed)


def encode(bits: bytes) -> str:
    """Return ``bits`` as ``encodedList``: the same text for the same bits, so that ETags hold."""
    return _PREFIX + multikey.to_base64url(gzip.compress(bits, mtime=0))


def decode(encoded: str) -> bytes:
    """Return the bits of an ``encodedList`` of LENGTH bits; raise ValueError for anything else."""
    if not encoded.startswith(_PREFIX):
        raise ValueError("not a multibase base64url text")
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        packed = multikey.from_base64url(encoded.removeprefix(_PREFIX))
        # One byte more than wanted shows a list that is too long, and a bomb is never unpacked.
        bits = reader.decompress(packed, LENGTH // 8 + 1)
    except (ValueError, zlib.error) as error:
        raise ValueError("not the GZIP of a list") from error
    if len(bits) != LENGTH // 8:
        raise ValueError(f"not a list of {LENGTH} bits")
    return bits


def _place(bits: bytes, index: int) -> tuple[int, int]:
    if not 0 <= index < len(bits) * 8:
        raise IndexError(f"the list has no index {index}")
    return index // 8, 0x80 >> index % 8
