"""The form for the image of a badge template: a design, or an upload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from badges_plugin.admin.base import ModelForm
from badges_plugin.exceptions import RefusedImage
from badges_plugin.images.designs import Design, default_design
from badges_plugin.images.letters import MAX_LETTERS, clusters, plain
from badges_plugin.images.shapes import COLORS, SHAPES
from badges_plugin.images.svg_drawing import svg
from badges_plugin.images.uploads import Accepted, accept, digest_of
from badges_plugin.models import BadgeImage, BadgeTemplate, ImageKind

AUTOMATIC, DESIGN, UPLOAD = "automatic", "design", "upload"
LOOKS = (
    (AUTOMATIC, gettext_lazy("Drawn from the badge’s name")),
    (DESIGN, gettext_lazy("A design of your own, as chosen below")),
    (UPLOAD, gettext_lazy("An uploaded image")),
)
_UPLOADED = frozenset({ImageKind.PNG, ImageKind.SVG})
_DRAWN = frozenset({"shape", "color", "text"})


class PictureChoices(forms.RadioSelect):
    """Radio buttons with a drawing each. ``drawings`` has designs by value."""

    template_name = "badges_plugin/admin/picture_choices.html"
    option_template_name = "django/forms/widgets/input.html"

    def __init__(self, drawings: Mapping[str, Design], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._drawings = drawings

    def create_option(self, name: Any, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        # Written by our own code, from names of shapes and colors.
        option["drawing"] = mark_safe(svg(self._drawings[str(value)]).decode())  # noqa: S308
        return option


class BadgeImageForm(ModelForm[BadgeImage]):
    """What the image is drawn from, or the file to take it from.

    Whoever chooses a shape or a file means it: the look follows, unless that was chosen as well.
    """

    look = forms.ChoiceField(choices=LOOKS, widget=forms.RadioSelect, label=gettext_lazy("Image"))
    shape = forms.ChoiceField(
        choices=[(name, shape.label) for name, shape in SHAPES.items()],
        widget=PictureChoices({name: Design(name, "slate") for name in SHAPES}),
        label=gettext_lazy("Shape"),
    )
    color = forms.ChoiceField(
        choices=[(name, color.label) for name, color in COLORS.items()],
        widget=PictureChoices({name: Design("circle", name) for name in COLORS}),
        label=gettext_lazy("Color"),
    )
    text = forms.CharField(
        required=False,
        max_length=64,
        label=gettext_lazy("Letters"),
        widget=forms.TextInput(attrs={"size": 12, "dir": "auto"}),
        help_text=gettext_lazy(
            "At most eight letters, of any language. PNG images show the shape without letters where no installed "
            "font has them."
        ),
    )
    upload = forms.FileField(
        required=False,
        label=gettext_lazy("File"),
        widget=forms.FileInput(attrs={"accept": ".png,.svg,image/png,image/svg+xml"}),
        help_text=gettext_lazy(
            "PNG or SVG. A PNG should be square and have 600 pixels or more; what is not square is padded. "
            "Of an SVG, scripts, links, embedded images and filters are removed."
        ),
    )
    png = forms.FileField(
        required=False,
        label=gettext_lazy("The same as PNG"),
        widget=forms.FileInput(attrs={"accept": ".png,image/png"}),
        help_text=gettext_lazy(
            "For an SVG: the same image as PNG, for downloads and link previews. Credentials cannot convert SVG: "
            "without this file, they show the design chosen above."
        ),
    )

    class Meta:
        model = BadgeImage
        fields = ("shape", "color", "text")

    def __init__(self, *args: Any, badge_template: BadgeTemplate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.instance.kind
        self.fields["look"].initial = UPLOAD if kind in _UPLOADED else DESIGN if kind == DESIGN else AUTOMATIC
        if kind == ImageKind.AUTOMATIC:
            design = default_design(badge_template.uuid, badge_template.name)
            self.initial.update({"shape": design.shape, "color": design.color, "text": design.text})

    def clean_text(self) -> str:
        text = plain(self.cleaned_data["text"])
        count = len(clusters(text))
        if count > MAX_LETTERS:
            raise ValidationError(
                ngettext("At most eight letters fit, not %d.", "At most eight letters fit, not %d.", count) % count
            )
        return text

    def clean_upload(self) -> Accepted | None:
        return self._accepted("upload")

    def clean_png(self) -> Accepted | None:
        return self._accepted("png", only_png=True)

    def _accepted(self, name: str, **options: bool) -> Accepted | None:
        file = self.cleaned_data[name]
        if not file:
            return None
        try:
            return accept(file, **options)
        except RefusedImage as refused:
            raise ValidationError(str(refused)) from None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        look = self._look(cleaned)
        upload, png = cleaned.get("upload"), cleaned.get("png")
        stored = ImageKind(self.instance.kind)
        if look == UPLOAD and not upload and stored not in _UPLOADED and "upload" not in self.errors:
            self.add_error("upload", _("Choose a file."))
        if png and (look != UPLOAD or (upload.kind if upload else stored) != ImageKind.SVG):
            self.add_error("png", _("This is only for an SVG. Choose the PNG as “File” instead."))
        return {**cleaned, "look": look}

    def _look(self, cleaned: Mapping[str, Any]) -> str | None:
        """Return the look that is meant."""
        look: str | None = cleaned.get("look")
        if "look" in self.changed_data:
            return look
        if cleaned.get("upload"):
            return UPLOAD
        return DESIGN if look == AUTOMATIC and not _DRAWN.isdisjoint(self.changed_data) else look

    def save(self, commit: bool = True) -> BadgeImage:
        image, cleaned = self.instance, self.cleaned_data
        upload: Accepted | None = cleaned.get("upload")
        if cleaned["look"] == UPLOAD:
            if upload:
                image.kind, image.content, image.raster = upload.kind, upload.content, None
            if cleaned.get("png"):
                image.raster = cleaned["png"].content
            if upload or cleaned.get("png"):
                image.digest = digest_of(image.content, image.raster)
        else:
            image.kind = ImageKind.DESIGN if cleaned["look"] == DESIGN else ImageKind.AUTOMATIC
            image.content, image.raster, image.digest = None, None, ""
        if image.kind == ImageKind.AUTOMATIC:
            image.shape = image.color = image.text = ""
        saved: BadgeImage = super().save(commit)
        return saved
