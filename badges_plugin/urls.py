"""The addresses of the core, below ``badges/``. None while badges are switched off."""

from __future__ import annotations

from django.urls import URLPattern, path

from badges_plugin import conf
from badges_plugin.health import health

app_name = "badges_plugin"

urlpatterns: list[URLPattern] = []
if conf.is_enabled():
    urlpatterns = [path("health/", health, name="health")]
