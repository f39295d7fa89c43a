"""Message catalogs for tests of what is translated."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path


def write_catalog(folder: Path, language: str, messages: Mapping[str, str]) -> None:
    """Write a compiled catalog where Django looks for one, with ``folder`` in LOCALE_PATHS.

    The format: https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html
    """
    texts = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **messages}.items())
    halves = [[pair[half].encode() + b"\0" for pair in texts] for half in (0, 1)]
    tables, start = b"", 28 + 16 * len(texts)
    for half in halves:
        for text in half:
            tables += struct.pack("<II", len(text) - 1, start)
            start += len(text)
    header = struct.pack("<7I", 0x950412DE, 0, len(texts), 28, 28 + 8 * len(texts), 0, 0)
    path = folder / language / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(header + tables + b"".join(halves[0] + halves[1]))
