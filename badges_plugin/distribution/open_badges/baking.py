"""Badges in pictures: a signed document (JSON or compact JWS) inside a PNG or an SVG, and out again.

https://www.imsglobal.org/spec/ob/v3p0/#baking
"""

from __future__ import annotations

from badges_plugin.distribution.open_badges import png, svg
from badges_plugin.distribution.open_badges.data import UnbakeablePicture

__all__ = ["UnbakeablePicture", "bake_png", "bake_svg", "extract", "is_picture"]


def bake_png(picture: bytes, text: str) -> bytes:
    """Return the PNG with ``text`` in it, instead of any badge that was there; raise UnbakeablePicture.

    What makes the picture is not encoded again.
    """
    return png.bake(picture, text)


def bake_svg(picture: bytes, text: str) -> bytes:
    """Return the SVG with ``text`` in it, instead of any badge that was there; raise UnbakeablePicture.

    A token goes into an attribute, JSON into CDATA.
    """
    return svg.bake(picture, text)


def is_picture(data: bytes) -> bool:
    """Return whether ``data`` begins like a PNG or an SVG, or like XML in general."""
    return png.is_png(data) or svg.is_xml(data)


def extract(data: bytes) -> str | None:
    """Return the text baked into a PNG or SVG; None if there is none or more than one, or if it is no picture."""
    try:
        return png.extract(data) if png.is_png(data) else svg.extract(data)
    except UnbakeablePicture:
        return None
