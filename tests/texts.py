"""Texts in which names of people are looked for."""

from __future__ import annotations

import re

_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def without_ids(text: str) -> str:
    """Return a text without its UUIDs, which may have "ada" among their digits."""
    return _ID.sub("", text)
