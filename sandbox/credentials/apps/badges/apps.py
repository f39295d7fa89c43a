from __future__ import annotations

from django.apps import AppConfig


class BadgesConfig(AppConfig):
    """The service's own badges, in every release from Sumac on, whether badges are enabled or not."""

    name = "credentials.apps.badges"
    verbose_name = "Badges"
