"""The app of the Accredible backend."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from badges_plugin.apps import PROJECT_TYPE
from badges_plugin.distribution.accounts.apps import ProviderConfig


class AccredibleBadgesConfig(ProviderConfig):
    """Badges at Accredible."""

    name = "badges_plugin.distribution.accredible"
    label = "accredible_badges"
    section = "accredible"
    verbose_name = _("Accredible badges")

    # The host's plugin discovery skips an app config without this attribute.
    plugin_app: ClassVar[dict[str, object]] = {"settings_config": {PROJECT_TYPE: {}}}

    def connect(self) -> None:
        from badges_plugin.adoption import adopters
        from badges_plugin.builtin import register_twins
        from badges_plugin.distribution.accounts.backend import register
        from badges_plugin.distribution.accredible import models
        from badges_plugin.distribution.accredible.adoption import AccredibleAdopter
        from badges_plugin.distribution.accredible.backend import AccredibleBackend

        register(AccredibleBackend())
        register_twins("AccredibleGroup", models.builtin_twins)
        adopters.register(AccredibleAdopter())
