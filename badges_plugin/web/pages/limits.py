"""How often one address may ask for what everybody may see.

The counts are in the host's cache. Where that is Django's default, each process has its own, and more gets through.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_ratelimit.core import get_usage

from badges_plugin.web.conf import PagesConfig, usable_pages
from badges_plugin.web.headers import View
from badges_plugin.web.pages.answers import too_many
from badges_plugin.web.visitors import address_of


def limited(
    group: str,
    rate: Callable[[PagesConfig], str | None],
    *,
    counts: Callable[[HttpRequest], bool] = lambda request: True,
) -> Callable[[View], View]:
    """Decorate a view so that who asks too often is told so, on a page of ours.

    ``rate`` is read from the settings at each request. ``counts``: which requests count.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            allowed = rate(usable_pages())
            if allowed is None or not counts(request):
                return view(request, *args, **kwargs)
            usage = get_usage(request, f"badges_web.{group}", key=_key, rate=allowed, increment=True)
            # A limit of 0 means that the cache does not answer: then the pages do all the same.
            if usage is not None and usage["should_limit"] and usage["limit"]:
                return too_many(request, seconds=max(1, int(usage["time_left"])))
            return view(request, *args, **kwargs)

        return wrapped

    return decorate


def _key(group: str, request: HttpRequest) -> str:
    """django-ratelimit asks for this signature."""
    return address_of(request)
