"""The service's URLs, and after them those of plugins."""

from __future__ import annotations

from credentials.apps.plugins.constants import PROJECT_TYPE
from django.contrib import admin
from django.contrib.auth import logout
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path
from edx_django_utils.plugins import get_plugin_url_patterns

admin.site.site_header = "Credentials Administration"
admin.site.site_title = admin.site.site_header


def health(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("OK", content_type="text/plain")


def sign_out(request: HttpRequest) -> HttpResponseRedirect:
    """End the session for a link, as the service does, which then goes on to the LMS."""
    logout(request)
    return HttpResponseRedirect("/login/")


# Test equipment: the service sends people to the LMS. The form is that of the admin, for learners as well.
sign_in = LoginView.as_view(template_name="admin/login.html", extra_context={"title": "Sign in"})

urlpatterns = [
    path("login/", sign_in, name="login"),
    path("logout/", sign_out, name="logout"),
    path("admin/", admin.site.urls),
    path("credentials/", include(("credentials.apps.credentials.urls", "credentials"), namespace="credentials")),
    path("health/", health, name="health"),
]
urlpatterns.extend(get_plugin_url_patterns(PROJECT_TYPE))
