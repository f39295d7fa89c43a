"""Accept an uploaded image, made new from what is harmless in it, or refuse it with a reason that staff understand."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from badges_plugin.exceptions import RefusedImage
from badges_plugin.images import conf
from badges_plugin.images.png_uploads import SIGNATURE, accept_png
from badges_plugin.images.svg_uploads import accept_svg
from badges_plugin.models import ImageKind


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is stored: a PNG of 600 by 600 pixels, or an SVG in UTF-8."""

    kind: ImageKind
    content: bytes


def accept(upload: UploadedFile[Any], *, only_png: bool = False) -> Accepted:
    """Return what is stored of an upload. Neither its name nor the type that the browser gave it is believed.

    Raises RefusedImage.
    """
    limits = conf.config()
    if (upload.size or 0) > limits.max_bytes:
        raise RefusedImage(
            _("The file is too large: %(size)s. At most %(limit)s is allowed.")
            % {"size": filesizeformat(upload.size or 0), "limit": filesizeformat(limits.max_bytes)}
        )
    data = upload.read()
    if not data:
        raise RefusedImage(_("The file is empty."))
    if data.startswith(SIGNATURE):
        return Accepted(ImageKind.PNG, accept_png(data, max_pixels=limits.max_pixels))
    if only_png:
        raise RefusedImage(_("This is not a PNG file."))
    if data.startswith((b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*", b"%PDF", b"\0\0\0")):
        raise RefusedImage(_("Only PNG and SVG files can be used. Save the picture as PNG and upload that."))
    return Accepted(ImageKind.SVG, accept_svg(data))


def digest_of(content: bytes | memoryview | None, raster: bytes | memoryview | None) -> str:
    """Return the digest of what is stored, as it was given or as a driver reads it; empty if nothing is."""
    if content is None:
        return ""
    return sha256(sha256(content).digest() + (sha256(raster).digest() if raster else b"")).hexdigest()
