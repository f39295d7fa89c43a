"""The URLs of public documents, below ``badges/open/``; none while badges are switched off.

They are those of ``addresses``: what is signed names them for ever.
"""

from __future__ import annotations

from django.urls import URLPattern, path

from badges_plugin.conf import is_enabled
from badges_plugin.distribution.open_badges import views

app_name = "open_badges"

urlpatterns: list[URLPattern] = []
if is_enabled():
    urlpatterns = [
        path("issuers/<uuid:uuid>/did.json", views.DidDocumentView.as_view(), name="did"),
        path("issuers/<uuid:uuid>/", views.ProfileView.as_view(), name="issuer"),
        path("issuers/<uuid:uuid>/keys/<int:number>", views.KeyView.as_view(), name="key"),
        path("achievements/<uuid:uuid>/", views.AchievementView.as_view(), name="achievement"),
        path("status/<uuid:uuid>/", views.StatusListView.as_view(), name="status"),
    ]
