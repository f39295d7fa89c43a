"""The stand-in's URLs, with the front page redirected to the admin."""

from __future__ import annotations

from credentials.urls import urlpatterns as service_urlpatterns
from django.urls import path
from django.views.generic import RedirectView

urlpatterns = [path("", RedirectView.as_view(pattern_name="admin:index")), *service_urlpatterns]
