"""Serve the images of badges: to everybody, without a session, and to be kept forever.

Each address has the digest of what it shows. That of an earlier image leads to the present one.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotFound, HttpResponseRedirect
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from badges_plugin import images
from badges_plugin.distribution.open_badges.api import issuer_of
from badges_plugin.images import CONTENT_POLICY, SIZES, Picture
from badges_plugin.models import BadgeTemplate

# A year is what RFC 9111 means by forever. Where an earlier digest leads is asked again soon.
_FOREVER = "public, max-age=31536000, immutable"
_SOON = "public, max-age=60"

# How long drawings are kept. Each is of one digest, so none is ever out of date.
_KEPT_SECONDS = 7 * 24 * 3600

_HEADERS = {
    "Cache-Control": _FOREVER,
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Anybody may show and check the image of a badge.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@require_safe
def image_png(request: HttpRequest, template: UUID, digest: str) -> HttpResponseBase:
    """Show an image as PNG, in one of the sizes (``?size=96``); 600 pixels by default. At most three queries."""
    picture = _picture(template)
    size = _size(request)
    if picture is None or size is None:
        return _not_found()
    if digest != picture.digest:
        return _moved(picture.url("png", size))
    return _file(request, "image/png", f"{digest}-{size}", lambda: picture.png(size))


@require_safe
def image_svg(request: HttpRequest, template: UUID, digest: str) -> HttpResponseBase:
    """Show an image as SVG. Of an uploaded PNG there is none. At most three queries."""
    picture = _picture(template)
    if picture is None or not picture.has_svg:
        return _not_found()
    if digest != picture.digest:
        return _moved(picture.url("svg"))
    return _file(request, "image/svg+xml", f"{digest}-svg", lambda: picture.svg or b"")


@require_safe
def link_preview(request: HttpRequest, template: UUID, digest: str) -> HttpResponseBase:
    """Show the picture beside links to a badge, 1200 by 630 pixels. At most five queries."""
    found = _template(template)
    if found is None:
        return _not_found()
    picture, issuer = images.picture_of(found), issuer_of(found.site).name
    current = images.preview_digest(picture, issuer)
    if digest != current:
        return _moved(images.preview_url_of(template, current))
    return _file(request, "image/png", f"{digest}-preview", lambda: images.preview_png(picture, issuer))


def _template(uuid: UUID) -> BadgeTemplate | None:
    return BadgeTemplate.objects.select_related("site").filter(uuid=uuid).first()


def _picture(uuid: UUID) -> Picture | None:
    found = _template(uuid)
    return images.picture_of(found) if found else None


def _size(request: HttpRequest) -> int | None:
    """Return the size that is asked for; None if it is not one of the sizes."""
    given = request.GET.get("size", str(SIZES[-1]))
    return next((size for size in SIZES if str(size) == given), None)


def _file(request: HttpRequest, content_type: str, key: str, make: Callable[[], bytes]) -> HttpResponseBase:
    """Answer with a file; it is only made if the client and the cache lack it."""
    etag = f'"{key}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = HttpResponse(_kept(key, make), content_type=content_type)
    for name, value in {**_HEADERS, "ETag": etag}.items():
        response[name] = value
    return response


def _kept(key: str, make: Callable[[], bytes]) -> bytes:
    cached = cache.get(f"badges.image.{key}")
    if isinstance(cached, bytes):
        return cached
    made = make()
    cache.set(f"badges.image.{key}", made, _KEPT_SECONDS)
    return made


def _moved(url: str) -> HttpResponse:
    return HttpResponseRedirect(url, headers={"Cache-Control": _SOON})


def _not_found() -> HttpResponse:
    """Answer plainly: who asked for a picture does not read a page, and the service's page needs its own build."""
    return HttpResponseNotFound(
        _("There is no such image."), content_type="text/plain; charset=utf-8", headers={"Cache-Control": _SOON}
    )
