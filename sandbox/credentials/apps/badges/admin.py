"""The built-in admin appears when badges are enabled: beside the plugin's, under its own label."""

from __future__ import annotations

from credentials.apps.badges import models
from django.conf import settings
from django.contrib import admin

if settings.BADGES_ENABLED:
    admin.site.register(
        [
            models.CredlyOrganization,
            models.CredlyBadgeTemplate,
            models.CredlyBadge,
            models.BadgeRequirement,
            models.BadgePenalty,
            models.BadgeProgress,
        ]
    )
