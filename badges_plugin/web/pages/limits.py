"""How often one address may ask for what everybody may see.

The counts are in the host's cache. Where that is Django's default, each process has its own, and more gets through.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_ratelimit.core import get_usage

from badges_plugin.web.conf import PagesConfig, usable_pages
from badges_plugin.web.headers import View
from badges_plugin.web.pages.answers import too_many

# A household or a phone has a whole network of this size to itself.
_IPV6_NETWORK = 64


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
            usage = get_usage(request, f"badges_web.{group}", key=_address, rate=allowed, increment=True)
            # A limit of 0 means that the cache does not answer: then the pages do all the same.
            if usage is not None and usage["should_limit"] and usage["limit"]:
                return too_many(request, seconds=max(1, int(usage["time_left"])))
            return view(request, *args, **kwargs)

        return wrapped

    return decorate


def _address(group: str, request: HttpRequest) -> str:
    """Return the address that asks, as the nearest proxy saw it; django-ratelimit asks for this signature.

    In most deployments, Tutor's among them, the service sees the address of its proxy only. What the proxy itself added
    to X-Forwarded-For is the last entry; those before it may be made up. It is believed only from an address within a
    network of one's own. An operator with other proxies sets django-ratelimit's RATELIMIT_IP_META_KEY, which wins.
    """
    given = getattr(settings, "RATELIMIT_IP_META_KEY", None)
    if isinstance(given, str) and given in request.META:
        return _network(str(request.META[given]))
    peer = str(request.META.get("REMOTE_ADDR") or "")
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR") or "").rpartition(",")[2].strip()
    if forwarded and _is_within(peer):
        return _network(forwarded)
    return _network(peer)


def _is_within(address: str) -> bool:
    """Whether an address is of one's own network. A socket in the file system has no address at all."""
    try:
        return not address or ipaddress.ip_address(address).is_private
    except ValueError:
        return False


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if found.version == 6:
        return str(ipaddress.ip_network(f"{found}/{_IPV6_NETWORK}", strict=False).network_address)
    return str(found)
