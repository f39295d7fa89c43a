"""Django system checks of the pages' settings."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from badges_plugin.conf import CHECK_TAG
from badges_plugin.web.conf import PagesConfig, pages


def connect() -> None:
    """Register the checks with Django."""
    checks.register(check_pages, CHECK_TAG)


def check_pages(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[checks.CheckMessage]:
    """E001: BADGES_CONFIG["pages"] cannot be used. I002: learners are told nobody to write to.

    I003: there are rate limits, and a cache that counts in each process on its own.
    """
    try:
        config = pages()
    except ImproperlyConfigured as error:
        hint = "Correct the setting, or remove the key to use its default."
        return [checks.Error(str(error), hint=hint, id="badges_web.E001")]
    if not config.enabled:
        return []
    return [*_support(config), *_counting(config)]


def _support(config: PagesConfig) -> list[checks.CheckMessage]:
    if config.support_email or config.help_url:
        return []
    return [
        checks.Info(
            "Learners who miss a badge, or whose badge was revoked, are not told whom to ask.",
            hint='Set BADGES_CONFIG["pages"]["support_email"] or ["help_url"].',
            id="badges_web.I002",
        )
    ]


def _counting(config: PagesConfig) -> list[checks.CheckMessage]:
    backend = getattr(settings, "CACHES", {}).get(getattr(settings, "RATELIMIT_USE_CACHE", "default"), {})
    kind = str(backend.get("BACKEND", ""))
    if not (config.verify_rate or config.public_rate) or not kind.endswith(("LocMemCache", "DummyCache")):
        return []
    return [
        checks.Info(
            "The limits of how often one address may ask are counted in each process on its own, so more gets through.",
            hint="Use a cache that all processes share (CACHES), such as Redis, or live with it.",
            id="badges_web.I003",
        )
    ]
