"""The URLs of the desk, below ``badges/desk/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
