"""Why an upload is refused."""

from __future__ import annotations


class RefusedImage(ValueError):
    """An upload that cannot be used. The message tells staff why, in their language."""
