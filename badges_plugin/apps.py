"""How the core registers itself in the host."""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from edx_django_utils.plugins.constants import PluginSettings, PluginURLs

from badges_plugin import conf

# The host's credentials.apps.plugins.constants.PROJECT_TYPE. Not imported through ``host``: that module needs
# the host's models, and this one is read before there are any.
PROJECT_TYPE = "credentials.djangoapp"


class BadgesPluginConfig(AppConfig):
    """Core app: from events to awards. Does nothing unless ``BADGES_ENABLED`` is on."""

    name = "badges_plugin"
    label = "badges_plugin"
    verbose_name = _("Open edX badges")
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app: ClassVar[dict[str, object]] = {
        PluginSettings.CONFIG: {
            PROJECT_TYPE: {
                # Not "base": whatever is set there about badges and the event bus is overwritten by the host.
                settings_type: {PluginSettings.RELATIVE_PATH: f"settings.{settings_type}"}
                for settings_type in ("production", "devstack", "test")
            },
        },
        PluginURLs.CONFIG: {
            PROJECT_TYPE: {
                PluginURLs.NAMESPACE: "badges_plugin",
                PluginURLs.REGEX: r"^badges/",
                PluginURLs.RELATIVE_PATH: "urls",
            },
        },
    }

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        conf.complete(
            {
                "events": list(conf.DEFAULT_EVENTS),
                "rules": {"ignored_keypaths": list(conf.DEFAULT_IGNORED_KEYPATHS)},
            }
        )

    def ready(self) -> None:
        """Connect receivers and checks, and disconnect those of the host's own badges app.

        What guards removal is wanted also while badges are switched off.
        """
        from badges_plugin import removal

        removal.connect()
        if not conf.is_enabled():
            return
        from badges_plugin import builtin, checks, handlers
        from badges_plugin.consumers import checks as consumer_checks

        builtin.connect()
        checks.connect()
        consumer_checks.connect()
        handlers.connect()
