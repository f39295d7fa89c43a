"""The app of the Credly backend."""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from edx_django_utils.plugins.constants import PluginURLs

from badges_plugin import conf
from badges_plugin.apps import PROJECT_TYPE


class CredlyBadgesConfig(AppConfig):
    """Badges at Credly."""

    name = "badges_plugin.distribution.credly"
    label = "credly_badges"
    verbose_name = _("Credly badges")
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app: ClassVar[dict[str, object]] = {
        PluginURLs.CONFIG: {
            PROJECT_TYPE: {
                PluginURLs.NAMESPACE: "credly_badges",
                PluginURLs.REGEX: r"^",
                PluginURLs.RELATIVE_PATH: "urls",
            },
        },
    }

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        from badges_plugin.distribution.credly.conf import BUILTIN_DEFAULTS

        conf.complete({"credly": dict(BUILTIN_DEFAULTS)})

    def ready(self) -> None:
        """Register the backend, its checks and its chore."""
        if not conf.is_enabled():
            return
        from badges_plugin.builtin import register_twins
        from badges_plugin.distribution.accounts.backend import register
        from badges_plugin.distribution.api import Chore, register_chore
        from badges_plugin.distribution.credly import checks, events, models
        from badges_plugin.distribution.credly.backend import CredlyBackend

        register(CredlyBackend())
        register_twins("CredlyBadgeTemplate", models.builtin_twins)
        checks.connect()
        register_chore(Chore("credly events", events.forget_a_batch, every=3600))
