"""URLs of the Credly backend.

The webhook also has the URL of the host's built-in badges app, which we serve while that app is off: a site that used
that app has nothing to change at Credly.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from badges_plugin.conf import is_enabled
from badges_plugin.distribution.credly.webhooks import CredlyWebhook

app_name = "credly_badges"

urlpatterns: list[URLPattern] = []
if is_enabled():
    urlpatterns = [
        path("credly-badges/api/webhook/", CredlyWebhook.as_view(), name="webhook"),
        path("credly-badges/api/webhook/<str:secret>/", CredlyWebhook.as_view(), name="secret-webhook"),
        path("badges/credly/webhook/", CredlyWebhook.as_view(), name="builtin-webhook"),
    ]
