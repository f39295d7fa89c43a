"""The URLs of the desk, below ``badges/desk/``."""

from __future__ import annotations

from django.urls import URLPattern, path

from badges_plugin.web.desk import numbers, numbers_csv

urlpatterns: list[URLPattern] = [
    path("numbers/", numbers.numbers, name="desk_numbers"),
    path("numbers/numbers.csv", numbers_csv.export_numbers, name="desk_export_numbers"),
    path("numbers/<int:template_id>/", numbers.badge_numbers, name="desk_badge_numbers"),
]
