"""Examine the pages: the Django check of their settings, and the probe of ``badges_doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.urls import NoReverseMatch, reverse

from badges_plugin import doctor
from badges_plugin.conf import CHECK_TAG
from badges_plugin.doctor import Finding, Reach
from badges_plugin.sections import errors_in
from badges_plugin.web.conf import pages


def connect() -> None:
    """Register the check with Django and the probe with ``badges_doctor``."""
    checks.register(check_pages, CHECK_TAG)
    doctor.register("pages", examine, reach=Reach.SETTINGS)


def check_pages(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[checks.CheckMessage]:
    """E001: BADGES_CONFIG["pages"] cannot be used."""
    return errors_in(pages, check_id="badges_web.E001")


def examine() -> Iterator[Finding]:
    """Check that the pages are served, that learners know whom to ask, and that requests are counted together."""
    config = pages()
    if not config.enabled:
        yield Finding.ok("The pages for learners are switched off.")
        return
    try:
        yield Finding.ok(f"The pages for learners are served: {reverse('badges_web:mine')}")
    except NoReverseMatch:
        yield Finding.error(
            "The pages for learners are not served, although they are switched on.",
            "Restart the service: addresses are read when it starts. ROOT_URLCONF must be the service's own.",
        )
    if not (config.support_email or config.help_url):
        yield Finding.ok(
            "Learners who miss a badge, or whose badge was revoked, are told to ask their course team: "
            'BADGES_CONFIG["pages"] has neither "support_email" nor "help_url".'
        )
    if (config.verify_rate or config.public_rate) and not _counts_together():
        yield Finding.ok(
            "How often one address may ask is counted in each process by itself: a cache that all share (CACHES), such "
            "as Redis, would count exactly."
        )


def _counts_together() -> bool:
    name = getattr(settings, "RATELIMIT_USE_CACHE", "default")
    return not str(settings.CACHES.get(name, {}).get("BACKEND", "")).endswith(("LocMemCache", "DummyCache"))
