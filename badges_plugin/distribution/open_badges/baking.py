"""Badges in pictures: a signed document (JSON or compact JWS) inside a PNG or an SVG, and out again.

https://www.imsglobal.org/spec/ob/v3p0/#baking
"""

from __future__ import annotations


class UnbakeablePicture(ValueError):
    """The picture is no PNG or SVG, or is damaged."""


def bake_png(png: bytes, text: str) -> bytes:
    """Return ``png`` with ``text`` in it, instead of any badge that was there; raise UnbakeablePicture."""
    raise NotImplementedError


def bake_svg(svg: bytes, text: str) -> bytes:
    """Return ``svg`` with ``text`` in it, instead of any badge that was there; raise UnbakeablePicture."""
    raise NotImplementedError


def extract(data: bytes) -> str | None:
    """Return the text baked into a PNG or SVG, None if there is none or ``data`` is no picture."""
    raise NotImplementedError
