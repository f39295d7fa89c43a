"""The URLs of the REST API, below ``api/badges/v1/``."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
