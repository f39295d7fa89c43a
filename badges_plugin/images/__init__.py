"""The images of badges: drawn from a shape, a color and a few letters, or uploaded.

Every badge template has an image. Without a row of ``BadgeImage`` it is a design that follows from the template's UUID
and name. Images are kept in the database (docs/decisions/0046).
"""

from badges_plugin.images.addresses import CONTENT_POLICY, SIZES, preview_url_of, url_of
from badges_plugin.images.pictures import Picture, picture_of, pictures, png_for_baking, svg_for_baking
from badges_plugin.images.previews import preview_digest, preview_png

__all__ = [
    "CONTENT_POLICY",
    "SIZES",
    "Picture",
    "picture_of",
    "pictures",
    "png_for_baking",
    "preview_digest",
    "preview_png",
    "preview_url_of",
    "svg_for_baking",
    "url_of",
]
