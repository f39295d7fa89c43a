"""The URLs of the REST API, below ``api/badges/v1/``."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from badges_plugin.web.rest_api import document, staff, views
from badges_plugin.web.rest_api.base import NotFoundView

urlpatterns: list[URLPattern] = [
    path("badges/mine/", views.OwnBadgesView.as_view(), name="api-own-badges"),
    path("badges/<uuid:uuid>/", views.PublicBadgeView.as_view(), name="api-public-badge"),
    path("progress/mine/", views.OwnProgressView.as_view(), name="api-own-progress"),
    path("catalogue/", views.CatalogView.as_view(), name="api-catalog"),
    path("awards/", staff.AwardsView.as_view(), name="api-awards"),
    path("learners/<str:username>/badges/", staff.LearnerBadgesView.as_view(), name="api-learner-badges"),
    path("learners/<str:username>/progress/", staff.LearnerProgressView.as_view(), name="api-learner-progress"),
    path("openapi.json", document.DocumentView.as_view(), name="api-document"),
    # Only with a slash at the end: Django adds one where it is missing.
    re_path(r"^(?:.*/)?$", NotFoundView.as_view(), name="api-nothing"),
]
