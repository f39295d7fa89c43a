"""The service's URLs, and after them those of plugins."""

from __future__ import annotations

from credentials.apps.plugins.constants import PROJECT_TYPE
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from edx_django_utils.plugins import get_plugin_url_patterns

admin.site.site_header = "Credentials Administration"
admin.site.site_title = admin.site.site_header


def health(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("OK", content_type="text/plain")


urlpatterns = [
    path("admin/", admin.site.urls),
    path("credentials/", include(("credentials.apps.credentials.urls", "credentials"), namespace="credentials")),
    path("health/", health, name="health"),
]
urlpatterns.extend(get_plugin_url_patterns(PROJECT_TYPE))
