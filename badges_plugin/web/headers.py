"""The security headers of everything that people see. The host sets none but X-Frame-Options.

Our pages have no inline style or script and load nothing from elsewhere, but for pictures that the site or a provider
chose: the logo, and the images of a provider's badges.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import urlsplit

from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers

_HOST = re.compile(r"[a-z0-9._-]+")

ResponseT = TypeVar("ResponseT", bound=HttpResponseBase)
View = Callable[..., HttpResponseBase]


def policy(*, images: Iterable[str] = (), assets: str = "") -> str:
    """Return the Content-Security-Policy of a page.

    ``images`` are URLs of pictures, ``assets`` is the URL of static files: what is on another origin is allowed there.
    """
    files = _sources([assets])
    pictures = _sources([assets, *images])
    return (
        f"default-src 'none'; style-src {files}; script-src {files}; img-src {pictures}; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


DOCUMENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
"""For files that a browser may show by themselves, such as an SVG image: no script runs in them."""


def secure(response: ResponseT, *, images: Iterable[str] = (), assets: str = "") -> ResponseT:
    """Set the security headers that the response does not have yet; return it."""
    response.headers.setdefault("Content-Security-Policy", policy(images=images, assets=assets))
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    # Not "no-referrer": browsers then send "Origin: null" with forms, which Django's protection of forms refuses.
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Robots-Tag", "noindex")
    if "Cache-Control" not in response.headers:
        # What is public now may be taken back at once, and a page may be about who is signed in.
        add_never_cache_headers(response)
    return response


def _sources(urls: Iterable[str]) -> str:
    origins = {_origin(url) for url in urls}
    return " ".join(["'self'", *sorted(origin for origin in origins if origin)])


def _origin(url: str) -> str:
    """Return the origin of an absolute URL; empty for a relative one, or what is none."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        # As browsers compare it. A header with other letters than these is sent encoded as a whole: no policy at all.
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError:
        return ""
    # A header is made of it: nothing may end a source or the policy.
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host):
        return ""
    return f"{parts.scheme}://{host}{port}"
