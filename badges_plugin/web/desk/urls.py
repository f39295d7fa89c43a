"""The URLs of the desk, below ``badges/desk/``."""

from __future__ import annotations

from django.urls import URLPattern, path

from badges_plugin.web.desk import finding

urlpatterns: list[URLPattern] = [
    path("find/", finding.find, name="desk_find"),
]
