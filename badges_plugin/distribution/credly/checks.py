"""Examine Credly: Django checks of its settings, and the probes of ``badges_doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register

from badges_plugin import doctor
from badges_plugin.conf import CHECK_TAG
from badges_plugin.distribution.accounts.checks import KeyProbe, can_read, check_provider, usable
from badges_plugin.distribution.credly.client import client_for
from badges_plugin.distribution.credly.conf import CredlyConfig, config
from badges_plugin.distribution.credly.models import CredlyOrganization
from badges_plugin.doctor import Finding, Reach

OPEN_WEBHOOK = "Credly's webhook has no secret: anybody may post notifications, and each may cost a request to Credly."
CLOSE_WEBHOOK = (
    'Set BADGES_CONFIG["credly"]["WEBHOOK_SECRET"] to a long random word, and enter the URL with it at Credly.'
)


def connect() -> None:
    """Register the checks with Django and the probes with ``badges_doctor``."""
    register(check_settings, CHECK_TAG)
    register(check_webhook, CHECK_TAG)
    register(check_webhook_of_stored, CHECK_TAG, Tags.database)
    doctor.register("credly", organizations, reach=Reach.NETWORK)
    doctor.register("credly webhook", webhook, reach=Reach.DATABASE)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """E001: BADGES_CONFIG["credly"] cannot be used. W002: API keys would be sent without encryption."""
    return check_provider("credly", "credly_badges", lambda: config().api_base_url)


def check_webhook(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """W003: there are organizations in the settings, and the webhook has no secret."""
    settings = usable(config)
    return _open_webhook(settings) if settings and settings.organizations else []


def check_webhook_of_stored(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """W003 for organizations that were entered in the admin, where the check may use a database, as in ``migrate``."""
    settings = usable(config)
    if settings is None or settings.organizations or not can_read(CredlyOrganization, databases):
        return []
    return _open_webhook(settings) if CredlyOrganization.objects.exists() else []


def _open_webhook(settings: CredlyConfig) -> list[CheckMessage]:
    if settings.webhook_secret:
        return []
    return [Warning(OPEN_WEBHOOK, hint=CLOSE_WEBHOOK, id="credly_badges.W003")]


def webhook() -> Iterator[Finding]:
    """Check that nobody but Credly can post notifications."""
    if config().webhook_secret:
        yield Finding.ok("Credly's webhook has a secret.")
    elif config().organizations or CredlyOrganization.objects.exists():
        yield Finding.warning(OPEN_WEBHOOK, CLOSE_WEBHOOK)


def organizations() -> Iterator[Finding]:
    """Check that Credly knows each organization by its key."""
    rows = list(CredlyOrganization.objects.order_by("pk"))
    for uuid in sorted(map(str, set(config().organizations) - {row.uuid for row in rows})):
        yield Finding.warning(
            f"Organization {uuid} is in the settings but was never synchronized.",
            "Run manage.py sync_credly_badge_templates.",
        )
    probe = KeyProbe(
        provider="Credly",
        url=config().api_base_url,
        url_setting="CREDLY_API_BASE_URL",
        key_advice="Enter its API key in the admin (Credly organizations) or in BADGES_CONFIG; "
        "USE_SANDBOX must match the key.",
        refusal_advice="Check the organization's ID in the admin.",
    )
    for row in rows:
        yield probe.examine(f"organization {row.uuid}", partial(_ask, row))


def _ask(organization: CredlyOrganization) -> None:
    client_for(organization).organization()
