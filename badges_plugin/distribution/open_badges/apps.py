"""The app of the site's own Open Badges."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OpenBadgesConfig(AppConfig):
    """Open Badges that the site signs."""

    name = "badges_plugin.distribution.open_badges"
    label = "open_badges"
    verbose_name = _("Open Badges")
    default_auto_field = "django.db.models.BigAutoField"
