"""The app of the pages, the images, the REST API and the mails."""

from __future__ import annotations

from typing import ClassVar

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from edx_django_utils.plugins.constants import PluginURLs

from badges_plugin import conf
from badges_plugin.apps import PROJECT_TYPE


class BadgesWebConfig(AppConfig):
    """What people and programs see of badges."""

    name = "badges_plugin.web"
    label = "badges_web"
    verbose_name = _("Badge pages")
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app: ClassVar[dict[str, object]] = {
        PluginURLs.CONFIG: {
            PROJECT_TYPE: {
                PluginURLs.NAMESPACE: "badges_web",
                PluginURLs.REGEX: r"^",
                PluginURLs.RELATIVE_PATH: "urls",
            },
        },
    }

    def ready(self) -> None:
        """Connect checks and receivers. What is kept of learners is erased also while the pages are switched off."""
        if not conf.is_enabled():
            return
        from django.contrib import admin

        from badges_plugin.web import checks, handlers
        from badges_plugin.web.desk.front import heading
        from badges_plugin.web.mails import checks as mail_checks
        from badges_plugin.web.mails import handlers as mail_handlers
        from badges_plugin.web.metrics import checks as metrics_checks
        from badges_plugin.web.rest_api import checks as api_checks

        checks.connect()
        api_checks.connect()
        handlers.connect()
        mail_checks.connect()
        metrics_checks.connect()
        mail_handlers.connect()
        heading.gather(admin.site)
