"""The image of each template, whatever it was made from."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Literal
from uuid import UUID

from badges_plugin.images import conf, png_drawing, svg_drawing
from badges_plugin.images.addresses import SIZES, url_of
from badges_plugin.images.designs import Design, default_design
from badges_plugin.images.png_uploads import resized
from badges_plugin.models import BadgeImage, BadgeTemplate, ImageKind

# Part of every digest. Raise it when drawings or link previews change: browsers keep an image of one digest forever.
_DRAWN_AS = "1"


@dataclass(frozen=True)
class Picture:
    """The image of a template. Drawing and reading wait until they are asked for.

    ``alt`` is the name of the badge. ``digest`` differs from that of any other picture, be it SVG or PNG.
    """

    template_uuid: UUID
    alt: str
    design: Design
    kind: ImageKind = ImageKind.AUTOMATIC
    row: int | None = None
    stored_digest: str = ""
    _fonts: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def digest(self) -> str:
        parts = (_DRAWN_AS, self.kind, self.stored_digest, self.alt, self.design.shape, self.design.color)
        return sha256("\0".join((*parts, self.design.text, *self._fonts)).encode()).hexdigest()[:32]

    @property
    def has_svg(self) -> bool:
        return self.kind != ImageKind.PNG

    @property
    def svg(self) -> bytes | None:
        """The image as an SVG file; None if a PNG was uploaded. One query if an SVG was uploaded."""
        if not self.has_svg:
            return None
        return self._stored[0] or svg_drawing.svg(self.design, self.alt)

    def png(self, size: int) -> bytes:
        """Return a square PNG of ``size`` pixels. One query if an image was uploaded.

        Of an uploaded SVG it is the PNG that was uploaded with it, or the design: nothing here can draw any SVG.
        """
        content, raster = self._stored
        stored = content if self.kind == ImageKind.PNG else raster
        return resized(stored, size) if stored else png_drawing.png(self.design, size)

    def url(self, form: Literal["png", "svg"] = "png", size: int = SIZES[-1]) -> str:
        """Return the path at which this service serves the image."""
        return url_of(self.template_uuid, self.digest, form, size)

    @property
    def best_url(self) -> str:
        """The path for an ``img``: the SVG if there is one, sharp in every size."""
        return self.url("svg" if self.has_svg else "png")

    @cached_property
    def _stored(self) -> tuple[bytes | None, bytes | None]:
        """The content and the raster of an upload; None if another has replaced it."""
        if self.row is None or self.kind not in {ImageKind.PNG, ImageKind.SVG}:
            return None, None
        rows = BadgeImage.objects.filter(pk=self.row, digest=self.stored_digest)
        content, raster = rows.values_list("content", "raster").first() or (None, None)
        # Some drivers return a memoryview.
        return bytes(content) if content else None, bytes(raster) if raster else None


def pictures(templates: Iterable[BadgeTemplate]) -> dict[int, Picture]:
    """Return the pictures of templates by primary key. One query, which reads no content."""
    found = {template.pk: template for template in templates}
    rows = BadgeImage.objects.filter(template_id__in=found).defer("content", "raster").order_by("pk")
    stored = {row.template_id: row for row in rows} if found else {}
    return {pk: _picture(template, stored.get(pk)) for pk, template in found.items()}


def picture_of(template: BadgeTemplate) -> Picture:
    """Return the picture of a template. One query."""
    return pictures([template])[template.pk]


def png_for_baking(template: BadgeTemplate) -> bytes:
    """Return the image of a template as a PNG of 600 pixels, without any text chunk. At most two queries."""
    return picture_of(template).png(SIZES[-1])


def svg_for_baking(template: BadgeTemplate) -> bytes:
    """Return the image of a template as an SVG file; an uploaded PNG is embedded in one. At most two queries."""
    picture = picture_of(template)
    return picture.svg or _embedded(picture)


def _picture(template: BadgeTemplate, row: BadgeImage | None) -> Picture:
    fonts = conf.config().fonts
    if row is None or row.kind == ImageKind.AUTOMATIC:
        return Picture(template.uuid, template.name, default_design(template.uuid, template.name), _fonts=fonts)
    design = Design(row.shape, row.color, row.text)
    return Picture(template.uuid, template.name, design, ImageKind(row.kind), row.pk, row.digest, fonts)


def _embedded(picture: Picture) -> bytes:
    side = SIZES[-1]
    data = b64encode(picture.png(side)).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img">'
        f"{svg_drawing.title(picture.alt)}"
        f'<image width="{side}" height="{side}" href="data:image/png;base64,{data}"/></svg>'
    ).encode()
