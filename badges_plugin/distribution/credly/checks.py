"""What can be wrong with the settings of Credly, as Django system checks."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router

from badges_plugin.conf import CHECK_TAG
from badges_plugin.distribution.accounts.checks import check_provider
from badges_plugin.distribution.credly import conf
from badges_plugin.distribution.credly.models import CredlyOrganization

OPEN_WEBHOOK = "Credly's webhook has no secret: anybody may post notifications, and each may cost a request to Credly."
CLOSE_WEBHOOK = (
    'Set BADGES_CONFIG["credly"]["WEBHOOK_SECRET"] to a long random word, and enter the address with it at Credly.'
)


def connect() -> None:
    """Register the checks with Django."""
    register(check_settings, CHECK_TAG)
    register(check_webhook, CHECK_TAG)
    register(check_webhook_of_stored, CHECK_TAG, Tags.database)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """E001: BADGES_CONFIG["credly"] cannot be used. W002: API keys would cross the network in the clear."""
    return check_provider("credly", "credly_badges", lambda: conf.config().api_base_url)


def check_webhook(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """W003: there are organizations in the settings, and the webhook has no secret."""
    return _open_webhook() if _settings() and conf.config().organizations else []


def check_webhook_of_stored(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """W003 for organizations that were entered in the admin, where a database may be looked at, as at ``migrate``."""
    alias = router.db_for_read(CredlyOrganization)
    if alias not in (databases or ()) or not _settings() or conf.config().organizations:
        return []
    # At the first ``migrate`` there is no table yet.
    if CredlyOrganization._meta.db_table not in connections[alias].introspection.table_names():
        return []
    return _open_webhook() if CredlyOrganization.objects.exists() else []


def _settings() -> conf.CredlyConfig | None:
    """The settings; None when they cannot be used, which is E001."""
    try:
        return conf.config()
    except ImproperlyConfigured:
        return None


def _open_webhook() -> list[CheckMessage]:
    if conf.config().webhook_secret:
        return []
    return [Warning(OPEN_WEBHOOK, hint=CLOSE_WEBHOOK, id="credly_badges.W003")]
