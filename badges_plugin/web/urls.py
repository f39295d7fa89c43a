"""The URLs of pages, images and the REST API; none while badges are switched off."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from badges_plugin import conf

app_name = "badges_web"

urlpatterns: list[URLPattern | URLResolver] = []
if conf.is_enabled():
    urlpatterns = [
        path("badges/", include("badges_plugin.web.pages.urls")),
        path("badges/mails/", include("badges_plugin.web.mails.urls")),
        path("badges/images/", include("badges_plugin.web.images.urls")),
        path("api/badges/v1/", include("badges_plugin.web.rest_api.urls")),
    ]
