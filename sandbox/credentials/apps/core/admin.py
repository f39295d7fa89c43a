from __future__ import annotations

from credentials.apps.core.models import SiteConfiguration, User
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.utils.translation import gettext_lazy as _


@admin.register(User)
class CredentialsUserAdmin(UserAdmin):  # type: ignore[type-arg]
    list_display = ("username", "email", "full_name", "lms_user_id", "is_staff")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Personal info"), {"fields": ("full_name", "first_name", "last_name", "email")}),
        (
            _("Permissions"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (_("Important dates"), {"fields": ("last_login", "date_joined")}),
    )


@admin.register(SiteConfiguration)
class SiteConfigurationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("site", "lms_url_root")
