"""The app of the site's own Open Badges."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy as _
from edx_django_utils.plugins.constants import PluginURLs

from badges_plugin.apps import PROJECT_TYPE
from badges_plugin.distribution.accounts.apps import ProviderConfig

_LISTS_SECONDS = 0.0  # at every look: what is revoked must show within a minute
_RETIRED_SECONDS = 60.0


class OpenBadgesConfig(ProviderConfig):
    """Open Badges that the site signs."""

    name = "badges_plugin.distribution.open_badges"
    label = "open_badges"
    section = "open_badges"
    verbose_name = _("Open Badges")

    plugin_app: ClassVar[dict[str, object]] = {
        PluginURLs.CONFIG: {
            PROJECT_TYPE: {
                PluginURLs.NAMESPACE: "open_badges",
                PluginURLs.REGEX: r"^badges/open/",
                PluginURLs.RELATIVE_PATH: "urls",
            },
        },
    }

    def connect(self) -> None:
        from badges_plugin.distribution.api import Chore, register, register_chore, register_encrypted
        from badges_plugin.distribution.open_badges import cors, models, rotating, status_lists
        from badges_plugin.distribution.open_badges.backend import OpenBadgesBackend

        register(OpenBadgesBackend())
        register_encrypted(models.SigningKey, "encrypted_private", is_used=lambda key: key.retired_at is None)
        register_chore(Chore("status lists", status_lists.sign_changed, every=_LISTS_SECONDS))
        register_chore(Chore("badges of retired keys", rotating.sign_what_is_left, every=_RETIRED_SECONDS))
        cors.connect()
