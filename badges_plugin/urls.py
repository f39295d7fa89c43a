"""The addresses of the core, below `badges/`. None while badges are switched off."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import conf
from .health import health

app_name = "badges_plugin"

urlpatterns: list[URLPattern] = []
if conf.is_enabled():
    urlpatterns = [path("health/", health, name="health")]
