"""Where the images are served. The views are in ``badges_plugin.web``, which is above: named, not imported."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from django.urls import reverse

SIZES = (96, 192, 600)
"""The widths, in pixels, in which PNG are served; the last is the default."""

CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""The Content-Security-Policy of an image: one that is opened by itself could not run, load or send anything."""


def url_of(template_uuid: UUID, digest: str, form: Literal["png", "svg"] = "png", size: int = SIZES[-1]) -> str:
    """Return the path of an image on this service. Its content never changes: another image has another digest."""
    path = reverse(f"badges_web:image_{form}", args=[template_uuid, digest])
    return path if size == SIZES[-1] or form == "svg" else f"{path}?size={size}"


def preview_url_of(template_uuid: UUID, digest: str) -> str:
    """Return the path of a link preview; ``digest`` is its own (``preview_digest``)."""
    return reverse("badges_web:link_preview", args=[template_uuid, digest])
