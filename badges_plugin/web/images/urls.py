"""The URLs of images, below ``badges/images/``."""

from __future__ import annotations

from django.urls import URLPattern, path

from badges_plugin.web.images import views

urlpatterns: list[URLPattern] = [
    path("<uuid:template>/<slug:digest>.png", views.image_png, name="image_png"),
    path("<uuid:template>/<slug:digest>.svg", views.image_svg, name="image_svg"),
    path("<uuid:template>/<slug:digest>/preview.png", views.link_preview, name="link_preview"),
]
