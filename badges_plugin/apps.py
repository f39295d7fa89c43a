"""App configuration of the core: its settings and URLs in the host, its receivers and checks."""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from edx_django_utils.plugins.constants import PluginSettings, PluginURLs

from badges_plugin import conf

# The host's credentials.apps.plugins.constants.PROJECT_TYPE. Not imported from ``host``: that module imports the host's
# models, which cannot be imported yet.
PROJECT_TYPE = "credentials.djangoapp"


class BadgesPluginConfig(AppConfig):
    """The core app, which turns events into awards. Does nothing unless ``BADGES_ENABLED`` is on."""

    name = "badges_plugin"
    label = "badges_plugin"
    verbose_name = _("Open edX badges")
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app: ClassVar[dict[str, object]] = {
        PluginSettings.CONFIG: {
            PROJECT_TYPE: {
                # Not "base": the host overwrites settings about badges and the event bus that are set there.
                settings_type: {PluginSettings.RELATIVE_PATH: "settings"}
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
        """Connect receivers and checks, and disconnect those of the host's built-in badges app.

        The protection against incomplete removal is connected even while badges are switched off.
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
