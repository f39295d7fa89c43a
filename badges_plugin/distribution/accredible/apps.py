"""The app of the Accredible backend."""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from badges_plugin import conf
from badges_plugin.apps import PROJECT_TYPE


class AccredibleBadgesConfig(AppConfig):
    """Badges at Accredible."""

    name = "badges_plugin.distribution.accredible"
    label = "accredible_badges"
    verbose_name = _("Accredible badges")
    default_auto_field = "django.db.models.BigAutoField"

    # The host's plugin discovery skips an app config without this attribute.
    plugin_app: ClassVar[dict[str, object]] = {"settings_config": {PROJECT_TYPE: {}}}

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        from badges_plugin.distribution.accredible.conf import BUILTIN_DEFAULTS

        conf.complete({"accredible": dict(BUILTIN_DEFAULTS)})

    def ready(self) -> None:
        """Register the backend and its checks."""
        if not conf.is_enabled():
            return
        from badges_plugin.builtin import register_twins
        from badges_plugin.distribution.accounts.backend import register
        from badges_plugin.distribution.accredible import checks, models
        from badges_plugin.distribution.accredible.backend import AccredibleBackend

        register(AccredibleBackend())
        register_twins("AccredibleGroup", models.builtin_twins)
        checks.connect()
