"""What a container's probe may ask over HTTP, without a login: nothing about anybody, and cheap."""

from __future__ import annotations

from http import HTTPStatus

from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from badges_plugin.models import RulesetVersion


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when badges are on and their tables can be read, 503 when not. One query by primary key."""
    try:
        RulesetVersion.current()
    except Error:  # InterfaceError, of a connection that broke, is no DatabaseError
        return JsonResponse({"status": "unavailable", "database": False}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return JsonResponse({"status": "ok", "database": True})
