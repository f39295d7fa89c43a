"""Examine Accredible: the Django check of its settings, and the probe of ``badges_doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from django.apps import AppConfig
from django.core.checks import CheckMessage, register

from badges_plugin import doctor
from badges_plugin.conf import CHECK_TAG
from badges_plugin.distribution.accounts.checks import KeyProbe, check_provider
from badges_plugin.distribution.accredible.client import client_for
from badges_plugin.distribution.accredible.conf import config, spelled
from badges_plugin.distribution.accredible.models import AccredibleApiConfig
from badges_plugin.doctor import Finding, Reach


def connect() -> None:
    """Register the check with Django and the probe with ``badges_doctor``."""
    register(check_settings, CHECK_TAG)
    doctor.register("accredible", configurations, reach=Reach.NETWORK)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """E001: BADGES_CONFIG["accredible"] cannot be used. W002: API keys would be sent without encryption."""
    return check_provider("accredible", "accredible_badges", lambda: config().api_root)


def configurations() -> Iterator[Finding]:
    """Check that Accredible accepts the key of each API configuration."""
    rows = list(AccredibleApiConfig.objects.order_by("pk"))
    known = {spelled(row.name) for row in rows}
    for name in sorted(name for name in config().api_keys if spelled(name) not in known):
        yield Finding.warning(
            f"API configuration {name!r} is in the settings but was never synchronized.",
            "Run manage.py sync_accredible_badge_templates.",
        )
    for row in rows:
        yield _probe().examine(f"API configuration {row.name!r}", partial(_ask, row))


def _probe() -> KeyProbe:
    return KeyProbe(
        provider="Accredible",
        url=config().api_root,
        url_setting="ACCREDIBLE_API_BASE_URL",
        key_advice="Enter its API key in the admin or in BADGES_CONFIG; USE_SANDBOX and USE_EU must match the key.",
        refusal_advice="Check at Accredible what the key may do.",
    )


def _ask(api_config: AccredibleApiConfig) -> None:
    client_for(api_config).check()
