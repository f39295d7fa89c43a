"""Serve the numbers to Prometheus."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from importlib.util import find_spec
from ipaddress import ip_address

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from badges_plugin.web.metrics.conf import MetricsConfig, usable_metrics

# What a proxy in front of the service adds: the address of such a request is the proxy's, not the client's.
_OF_PROXIES = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with all numbers, in the form that the client asks for; with 404 while they are switched off."""
    config = usable_metrics()
    if not config.enabled:
        return _refused(HTTPStatus.NOT_FOUND)
    if not _has_token(request, config) and not _is_near(request, config):
        refused = _refused(HTTPStatus.UNAUTHORIZED if config.token else HTTPStatus.FORBIDDEN)
        if config.token:
            refused["WWW-Authenticate"] = "Bearer"
        return refused
    if find_spec("prometheus_client") is None:
        return _refused(HTTPStatus.SERVICE_UNAVAILABLE)  # the check badges_web.E022 tells
    from badges_plugin.web.metrics.exposition import exposition

    content, content_type = exposition(request.headers.get("Accept", ""))
    return HttpResponse(content, content_type=content_type)


def _refused(status: HTTPStatus) -> HttpResponse:
    return HttpResponse(f"{status.phrase}\n", content_type="text/plain", status=status)


def _has_token(request: HttpRequest, config: MetricsConfig) -> bool:
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    is_right = secrets.compare_digest(given.strip().encode(), config.token.encode())
    return bool(config.token) and kind.lower() == "bearer" and is_right


def _is_near(request: HttpRequest, config: MetricsConfig) -> bool:
    """Return whether the client is in one of the networks, and no proxy is in between."""
    if any(name in request.headers for name in _OF_PROXIES):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:  # a Unix socket
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in config.networks)
