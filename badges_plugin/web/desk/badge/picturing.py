"""The image of a badge in its form: drawn from the name, as it is stored, or uploaded."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from badges_plugin.exceptions import RefusedImage
from badges_plugin.images.designs import default_design
from badges_plugin.images.svg_drawing import svg
from badges_plugin.images.uploads import Accepted, accept, digest_of
from badges_plugin.models import BadgeImage, BadgeTemplate, ImageKind
from badges_plugin.web.desk.badge.fields import AS_IT_IS, DRAWN, UPLOAD, BadgeFields


def drawing(fields: BadgeFields) -> SafeString:
    """Return what is drawn from the name, as SVG."""
    # Written by our own code; it escapes the name.
    return mark_safe(svg(default_design(fields.uuid, fields.name), fields.name or "?").decode())  # noqa: S308


def uploaded(fields: BadgeFields, file: UploadedFile[Any] | None) -> tuple[Accepted | None, str]:
    """Return the file that was chosen, if one is meant, and what is wrong with it."""
    if file is None:
        return None, _("Choose the picture.") if fields.image == UPLOAD else ""
    try:
        return accept(file), ""  # whoever chooses a file means it, whatever the radio buttons say
    except RefusedImage as refused:
        return None, str(refused)


def save(template: BadgeTemplate, fields: BadgeFields, file: Accepted | None) -> None:
    """Store the image that was chosen. One query if it stays as it is."""
    if file is None and fields.image == AS_IT_IS:
        return
    stored = BadgeImage.objects.filter(template=template).first()
    if file is None and (fields.image != DRAWN or stored is None or stored.kind == ImageKind.AUTOMATIC):
        return
    image = stored or BadgeImage(template=template)
    image.kind = file.kind if file is not None else ImageKind.AUTOMATIC
    image.content, image.raster = (file.content if file is not None else None), None
    image.digest = digest_of(image.content, None)
    image.shape = image.color = image.text = ""
    image.save()
