"""The public page of a credential."""

from __future__ import annotations

from credentials.apps.credentials.models import UserCredential
from django.contrib.sites.shortcuts import get_current_site
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404


def render_credential(request: HttpRequest, uuid: str) -> HttpResponse:
    """Show an awarded program certificate. Every other kind is 404, a plugin's too, as in the service."""
    credential = get_object_or_404(
        UserCredential,
        uuid=uuid,
        status=UserCredential.AWARDED,
        program_credentials__site=get_current_site(request),
        program_credentials__is_active=True,
    )
    return HttpResponse(f"{credential.credential} of {credential.username}", content_type="text/plain")
