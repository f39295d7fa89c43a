"""The app of distribution: tables of deliveries, the worker, and the receivers that queue awards."""

from __future__ import annotations

from typing import ClassVar

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from badges_plugin import conf
from badges_plugin.apps import PROJECT_TYPE

_PURGE_SECONDS = 1800.0
_KEYS_SECONDS = 600.0
_EXPIRY_SECONDS = 60.0
_NAMES_SECONDS = 60.0
_LISTS_SECONDS = 15.0
# To see whether a round is due reads one row.
_NUMBERS_SECONDS = 60.0
# Looking for retired learners reads all users. Nothing is sent to them meanwhile.
_RETIRED_SECONDS = 300.0


class BadgesDistributionConfig(AppConfig):
    """Delivers awards by the registered backends."""

    name = "badges_plugin.distribution"
    label = "badges_distribution"
    verbose_name = _("Badge distribution")
    default_auto_field = "django.db.models.BigAutoField"

    # The host's plugin discovery skips an app config without this attribute.
    plugin_app: ClassVar[dict[str, object]] = {"settings_config": {PROJECT_TYPE: {}}}

    def ready(self) -> None:
        """Connect receivers, checks and chores."""
        if not conf.is_enabled():
            return
        from badges_plugin import api, vitals
        from badges_plugin.consumers import deferred, lag_watch, retention
        from badges_plugin.distribution import checks, handlers, keys, learners, numbers, purge
        from badges_plugin.distribution.housekeeping import Chore, register
        from badges_plugin.models import old_records

        # Some are the core's own: only the worker is always running, and has the time.
        register(Chore("failed events", retention.purge_a_batch, every=_PURGE_SECONDS))
        register(Chore("deferred events", deferred.retry_a_batch, every=deferred.INTERVAL_SECONDS))
        register(Chore("retired learners", learners.sweep_a_batch, every=_RETIRED_SECONDS))
        register(Chore("learners with a name", learners.resume_named, every=_NAMES_SECONDS))
        register(Chore("expired awards", api.end_expired, every=_EXPIRY_SECONDS))
        register(Chore("history of badges", old_records.purge_a_batch, every=_PURGE_SECONDS))
        register(Chore("lists of awards by hand", api.go_on_with_lists, every=_LISTS_SECONDS))
        register(Chore("old lists of awards by hand", api.forget_old_lists, every=_PURGE_SECONDS))
        register(Chore("deliveries", purge.purge_a_batch, every=_PURGE_SECONDS))
        register(Chore("numbers", numbers.count_some, every=_NUMBERS_SECONDS))
        register(Chore("lag", lag_watch.LagWatch().step, every=lag_watch.STEP_SECONDS, is_lasting=True))
        register(Chore("signs of life", vitals.forget, every=_PURGE_SECONDS))
        register(Chore("keys", keys.reencrypt_in_passing, every=_KEYS_SECONDS))
        checks.connect()
        handlers.connect()
