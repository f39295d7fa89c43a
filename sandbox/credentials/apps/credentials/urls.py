from __future__ import annotations

from credentials.apps.credentials import views
from credentials.apps.credentials.constants import UUID_PATTERN
from django.urls import re_path

urlpatterns = [
    re_path(rf"^{UUID_PATTERN}/$", views.render_credential, name="render"),
]
