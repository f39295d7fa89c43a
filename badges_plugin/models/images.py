"""Images of badge templates, in the database: nothing else is there in every deployment, and in every process."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from badges_plugin.models.templates import BadgeTemplate


class ImageKind(models.TextChoices):
    """Where an image comes from."""

    AUTOMATIC = "automatic", _("Drawn from the badge’s name")
    DESIGN = "design", _("A design of your own")
    PNG = "png", _("Uploaded PNG")
    SVG = "svg", _("Uploaded SVG")


class BadgeImage(models.Model):
    """The image of a badge template. A template without a row has the same as one of the kind "automatic".

    Uploads are stored as ``badges_plugin.images.uploads`` returns them, never as they came.

    .. no_pii: This model has no PII.
    """

    template = models.OneToOneField(
        BadgeTemplate, on_delete=models.CASCADE, related_name="+", verbose_name=_("badge template")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=ImageKind.choices, default=ImageKind.AUTOMATIC)
    # Not choices: a new shape or color needs no migration.
    shape = models.CharField(_("shape"), max_length=32, blank=True)
    color = models.CharField(_("color"), max_length=32, blank=True)
    text = models.CharField(_("letters"), max_length=64, blank=True)
    content = models.BinaryField(_("image"), null=True, help_text=_("Of an upload: a square PNG, or an SVG."))
    raster = models.BinaryField(
        _("image as PNG"), null=True, help_text=_("Of an uploaded SVG: the same as a square PNG.")
    )
    digest = models.CharField(_("digest"), max_length=64, blank=True, help_text=_("Of the content and the raster."))
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        # Whoever may change a template may change its image.
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.get_kind_display())
