"""Answer with a page of ours.

Templates are rendered without the request: the host's context processors raise where a site has no configuration, and
these pages must be there all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.urls import reverse

from badges_plugin.web.headers import secure
from badges_plugin.web.pages.serving import direction_of, in_language_of_page
from badges_plugin.web.pages.site import Frame, asset, frame_of

STYLE, SCRIPT = "badges_web/pages.css", "badges_web/copy.js"


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    current: str = "",
    has_form: bool = False,
    pictures: Iterable[str] = (),
) -> HttpResponse:
    """Return a page with its headers.

    ``current`` is the name of the URL that the navigation marks. ``has_form``: it has a form that is posted, which
    needs a token and so sets a cookie. ``pictures`` are URLs of images, which may be elsewhere.
    """
    frame = frame_of(request)
    style = asset(STYLE)
    with in_language_of_page() as language:
        values = {
            **_around(request, frame, language, current),
            "style_url": style,
            "script_url": asset(SCRIPT),
            **(context or {}),
        }
        if has_form:
            values["csrf_token"] = get_token(request)
        text = render_to_string(f"badges_web/{template}.html", values)
    response = HttpResponse(text, status=status)
    response["Content-Language"] = language
    return secure(response, images=[*frame.pictures, *pictures], assets=style)


def _around(request: HttpRequest, frame: Frame, language: str, current: str) -> dict[str, Any]:
    user = getattr(request, "user", None)
    is_signed_in = bool(user is not None and user.is_authenticated)
    mine = reverse("badges_web:mine")
    return {
        "frame": frame,
        "lang": language,
        "direction": direction_of(language),
        "current": current,
        "is_signed_in": is_signed_in,
        "home_url": frame.home_url or mine,
        "sign_in_url": f"{resolve_url(settings.LOGIN_URL)}?next={mine}",
        "sign_out_url": _sign_out_url(),
    }


def _sign_out_url() -> str:
    """Return the path on which the host signs people out, which it does for a link; Django's own default is no page."""
    url = getattr(settings, "LOGOUT_URL", None)
    return resolve_url(url) if url else ""
