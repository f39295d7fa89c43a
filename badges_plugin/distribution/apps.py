"""The app of distribution: tables of deliveries, the worker, and the receivers that queue what is awarded."""

from __future__ import annotations

from typing import ClassVar

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from badges_plugin import conf
from badges_plugin.apps import PROJECT_TYPE

_PURGE_SECONDS = 1800.0
_KEYS_SECONDS = 600.0
_EXPIRY_SECONDS = 60.0


class BadgesDistributionConfig(AppConfig):
    """Carries awards to whatever backends are registered."""

    name = "badges_plugin.distribution"
    label = "badges_distribution"
    verbose_name = _("Badge distribution")
    default_auto_field = "django.db.models.BigAutoField"

    # The host's plugin discovery skips an app config without this attribute.
    plugin_app: ClassVar[dict[str, object]] = {"settings_config": {PROJECT_TYPE: {}}}

    def ready(self) -> None:
        """Connect receivers and checks."""
        if not conf.is_enabled():
            return
        from badges_plugin import api
        from badges_plugin.consumers import retention
        from badges_plugin.distribution import checks, doctor, handlers, housekeeping, keys, purge

        # Failed events are the core's own; only the worker is always at work, and has the time.
        housekeeping.register("failed events", retention.purge_a_batch, every=_PURGE_SECONDS)
        housekeeping.register("deliveries", purge.purge_a_batch, every=_PURGE_SECONDS)
        housekeeping.register("expired awards", api.end_expired, every=_EXPIRY_SECONDS)
        housekeeping.register("keys", keys.reencrypt_in_passing, every=_KEYS_SECONDS)
        checks.connect()
        doctor.connect()
        handlers.connect()
