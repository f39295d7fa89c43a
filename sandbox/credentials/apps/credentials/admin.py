from __future__ import annotations

from credentials.apps.credentials.models import ProgramCertificate, UserCredential
from django.contrib import admin


@admin.register(UserCredential)
class UserCredentialAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """As in the service: the change form of a plugin's credential opens, but cannot be saved."""

    list_display = ("username", "credential_content_type", "credential", "status", "uuid")
    list_filter = ("status", "credential_content_type")
    search_fields = ("username",)
    readonly_fields = ("uuid",)


@admin.register(ProgramCertificate)
class ProgramCertificateAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("program_uuid", "site", "is_active")
