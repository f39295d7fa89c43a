"""The app of the Credly backend."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy as _
from edx_django_utils.plugins.constants import PluginURLs

from badges_plugin.apps import PROJECT_TYPE
from badges_plugin.distribution.accounts.apps import ProviderConfig


class CredlyBadgesConfig(ProviderConfig):
    """Badges at Credly."""

    name = "badges_plugin.distribution.credly"
    label = "credly_badges"
    section = "credly"
    verbose_name = _("Credly badges")

    plugin_app: ClassVar[dict[str, object]] = {
        PluginURLs.CONFIG: {
            PROJECT_TYPE: {
                PluginURLs.NAMESPACE: "credly_badges",
                PluginURLs.REGEX: r"^",
                PluginURLs.RELATIVE_PATH: "urls",
            },
        },
    }

    def connect(self) -> None:
        from badges_plugin.adoption import adopters
        from badges_plugin.builtin import register_twins
        from badges_plugin.distribution.accounts.backend import register
        from badges_plugin.distribution.api import Chore, register_chore
        from badges_plugin.distribution.credly import events, models
        from badges_plugin.distribution.credly.adoption import CredlyAdopter
        from badges_plugin.distribution.credly.backend import CredlyBackend

        register(CredlyBackend())
        register_twins("CredlyBadgeTemplate", models.builtin_twins)
        adopters.register(CredlyAdopter())
        register_chore(Chore("credly events", events.forget_a_batch, every=3600))
