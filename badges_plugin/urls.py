"""The core's URLs, below ``badges/``; none while badges are switched off."""

from __future__ import annotations

from http import HTTPStatus

from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from badges_plugin import conf
from badges_plugin.models import RulesetVersion

app_name = "badges_plugin"


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Answer a container's probe: 200 when badges are on and their tables can be read, 503 when not.

    Needs no login, names nobody, and costs one query by primary key.
    """
    try:
        RulesetVersion.current()
    except Error:  # InterfaceError, of a broken connection, is not a DatabaseError
        return JsonResponse({"status": "unavailable", "database": False}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return JsonResponse({"status": "ok", "database": True})


urlpatterns: list[URLPattern] = []
if conf.is_enabled():
    urlpatterns = [path("health/", health, name="health")]
