"""The image of a badge template in the admin: chosen on the template's page, and shown there and in lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from badges_plugin.admin import links
from badges_plugin.admin.base import BaseInlineFormSet, ModelAdmin, ModelForm, StackedInline
from badges_plugin.admin.image_form import BadgeImageForm
from badges_plugin.images import CONTENT_POLICY, SIZES, Picture, picture_of, pictures
from badges_plugin.images.designs import Design, default_design
from badges_plugin.images.svg_drawing import svg
from badges_plugin.models import BadgeImage, BadgeTemplate


class BadgeImageFormSet(BaseInlineFormSet[BadgeImage, BadgeTemplate, ModelForm[BadgeImage]]):
    """The one form. A page or program that sends nothing of images leaves them as they are."""

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        prefix = kwargs.get("prefix") or self.get_default_prefix()
        if data is not None and f"{prefix}-TOTAL_FORMS" not in data:
            data = {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
        super().__init__(data, *args, **kwargs)

    @classmethod
    def get_default_prefix(cls) -> str:
        return "image"

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "badge_template": self.instance}


class BadgeImageInline(StackedInline[BadgeImage, BadgeTemplate]):
    """The image, for those who may change the template; for others who see the template, the picture alone."""

    model = BadgeImage
    form = BadgeImageForm
    formset = BadgeImageFormSet
    verbose_name = verbose_name_plural = gettext_lazy("Image")
    extra = max_num = 1
    can_delete = False
    classes = ("badges-image",)
    readonly_fields = ("preview",)

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("badges_plugin/admin/images.css",)}
        js = ("badges_plugin/admin/images.js",)

    @admin.display(description=gettext_lazy("Preview"))
    def preview(self, image: BadgeImage) -> str:
        """The image as it is; a script shows in its place what is being chosen."""
        template: BadgeTemplate = image.template
        automatic = default_design(template.uuid, template.name)
        return format_html(
            '<img class="badges-live" width="{0}" height="{0}" alt="" src="{1}" data-design="{2}" data-shape="{3}" '
            'data-color="{4}" data-text="{5}">',
            SIZES[1],
            picture_of(template).best_url,
            links.page_url(self.admin_site, self.parent_model, "design"),
            automatic.shape,
            automatic.color,
            automatic.text,
        )

    def get_fields(self, request: HttpRequest, obj: BadgeTemplate | None = None) -> tuple[str, ...]:
        if not self.has_change_permission(request, obj):
            return ("preview",)
        return ("preview", "look", "shape", "color", "text", "upload", "png")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BadgeImage]:
        """Without the files, which the page does not need."""
        return super().get_queryset(request).defer("content", "raster")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return links.may(request, "view", self.parent_model)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return links.may(request, "change", self.parent_model)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class WithPictures(ChangeList):
    """A list of templates that reads the pictures of a page in one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = pictures(self.result_list)
        for template in self.result_list:
            vars(template)["picture"] = found[template.pk]


class WithImage(ModelAdmin[BadgeTemplate]):
    """What the page and the list of templates have of images."""

    @admin.display(description=gettext_lazy("image"))
    def image(self, template: BadgeTemplate) -> str:
        return _thumbnail(template, 96)

    @admin.display(description=gettext_lazy("image"))
    def thumbnail(self, template: BadgeTemplate) -> str:
        return _thumbnail(template, 32)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_design"
        return [path("design/", self.admin_site.admin_view(self.design), name=name), *super().get_urls()]

    def design(self, request: HttpRequest) -> HttpResponse:
        """Show a design while somebody chooses it on the page of a template."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shape, color, text = (request.GET.get(name, "")[:64] for name in ("shape", "color", "text"))
        given = Design(shape, color, text)
        response = HttpResponse(svg(given), content_type="image/svg+xml")
        response["Content-Security-Policy"] = CONTENT_POLICY
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, max-age=600"
        return response

    def get_inlines(self, request: HttpRequest, obj: BadgeTemplate | None) -> list[Any]:
        """With the image, but for a new template: what it is without one follows from its UUID."""
        inlines = list(super().get_inlines(request, obj))
        return inlines if obj is None else [*inlines, BadgeImageInline]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WithPictures

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return ("thumbnail", *super().get_list_display(request))

    def get_list_display_links(self, request: HttpRequest, list_display: Sequence[Any]) -> Any:
        """Link what the list begins with: the picture and, for those who cannot see it, the name."""
        return self.list_display_links or list(list_display[:2])


def _thumbnail(template: BadgeTemplate, size: int) -> SafeString:
    """Return the image of a template as HTML: a provider's own, unless somebody has chosen another here."""
    picture: Picture = vars(template).get("picture") or picture_of(template)
    is_theirs = template.origin != BadgeTemplate.ORIGIN and picture.row is None
    address = (is_theirs and template.icon) or picture.best_url
    return format_html('<img class="badges-thumbnail" src="{0}" alt="" width="{1}" height="{1}">', address, size)
