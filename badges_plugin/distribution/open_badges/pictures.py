"""What PNG and SVG have in common."""

from __future__ import annotations

from badges_plugin.distribution.open_badges import strict_json


class UnbakeablePicture(ValueError):
    """The picture is no PNG or SVG, or is damaged."""


#: Bytes of a badge in a picture: UTF-8 takes up to four for a character.
MAX_BADGE_BYTES = strict_json.MAX_CHARACTERS * 4
