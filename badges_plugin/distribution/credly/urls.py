"""The addresses of the Credly backend, below `credly-badges/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from badges_plugin.conf import is_enabled
from badges_plugin.distribution.credly.webhooks import CredlyWebhook

app_name = "credly_badges"

urlpatterns: list[URLPattern] = []
if is_enabled():
    urlpatterns = [
        path("api/webhook/", CredlyWebhook.as_view(), name="webhook"),
        path("api/webhook/<str:secret>/", CredlyWebhook.as_view(), name="secret-webhook"),
    ]
