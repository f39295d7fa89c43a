"""The Django checks of the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from django.apps import AppConfig
from django.core import checks

from badges_plugin.conf import CHECK_TAG
from badges_plugin.sections import errors_in
from badges_plugin.web.metrics.conf import metrics, usable_metrics


def connect() -> None:
    """Register the checks."""
    checks.register(check_settings, CHECK_TAG)
    checks.register(check_library, CHECK_TAG)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[checks.CheckMessage]:
    """E021: BADGES_CONFIG["metrics"] cannot be used; they are off meanwhile."""
    return errors_in(metrics, check_id="badges_web.E021")


def check_library(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[checks.CheckMessage]:
    """E022: the metrics are on, and prometheus_client is not installed."""
    if not usable_metrics().enabled or find_spec("prometheus_client") is not None:
        return []
    hint = 'Install the plugin with its extra: pip install "openedx-badges-plugin[metrics]".'
    return [checks.Error("The metrics are on, and prometheus_client is missing.", hint=hint, id="badges_web.E022")]
