"""What can be wrong with the settings of Accredible, as Django system checks."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.core.checks import CheckMessage, register

from badges_plugin.conf import CHECK_TAG
from badges_plugin.distribution.accounts.checks import check_provider
from badges_plugin.distribution.accredible import conf


def connect() -> None:
    """Register the checks with Django."""
    register(check_settings, CHECK_TAG)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """E001: BADGES_CONFIG["accredible"] cannot be used. W002: API keys would cross the network in the clear."""
    return check_provider("accredible", "accredible_badges", lambda: conf.config().api_root)
