"""The URLs of the desk, below ``badges/desk/``."""

from __future__ import annotations

from django.urls import URLPattern, path

from badges_plugin.web.desk import history

urlpatterns: list[URLPattern] = []
urlpatterns += [
    path("history/<int:template_id>/", history.history, name="desk_history"),
    path("history/deleted/", history.deleted_badges, name="desk_deleted_badges"),
]
