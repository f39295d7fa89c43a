"""Examine Open Badges: Django checks of their settings and issuers, and the probes of ``badges_doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.utils import timezone

from badges_plugin.conf import CHECK_TAG
from badges_plugin.distribution.accounts.checks import can_read, usable
from badges_plugin.distribution.api import BadgeTemplate, Finding, Reach, register_probe
from badges_plugin.distribution.open_badges import issuers
from badges_plugin.distribution.open_badges.conf import config
from badges_plugin.distribution.open_badges.models import IssuerProfile, SignedBadge

CORRECT = (
    "Correct the issuer profile in the admin (Open Badges) or, before it exists, "
    'BADGES_CONFIG["open_badges"]["base_url"] or the domain of the site.'
)

UNLISTED = timedelta(minutes=10)
"""A worker signs a list again within seconds; after so long it cannot, or there is none."""


def connect() -> None:
    """Register the checks with Django and the probes with ``badges_doctor``."""
    register(check_settings, CHECK_TAG)
    register(check_issuers, CHECK_TAG, Tags.database)
    register_probe("issuers", probe_issuers, reach=Reach.DATABASE)
    register_probe("status lists", probe_status_lists, reach=Reach.DATABASE)


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """E001: BADGES_CONFIG["open_badges"] cannot be used. W002: its base URL is not one that wallets accept."""
    try:
        base_url = config().base_url
    except ImproperlyConfigured as error:
        hint = "Correct the setting, or remove the key to use its default."
        return [Error(str(error), hint=hint, id="open_badges.E001")]
    if not base_url or urlsplit(base_url).scheme == "https":
        return []
    return [
        Warning(
            f'BADGES_CONFIG["open_badges"]["base_url"] is {base_url}: wallets and validators want https.',
            hint="Use the public URL of the Credentials service. In development, ignore this.",
            id="open_badges.W002",
        )
    ]


def check_issuers(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """W003: the addresses of an issuer are not those of its site. Where the check may use a database."""
    if usable(config) is None or not can_read(IssuerProfile, databases):
        return []
    return [
        Warning(problem, hint=CORRECT, id="open_badges.W003")
        for profile in _profiles()
        for problem in issuers.problems(profile)
    ]


def probe_issuers() -> Iterator[Finding]:
    """Check the addresses of issuers, also of those that will be made at the first signature."""
    sound = 0
    for profile in _profiles():
        found = list(issuers.problems(profile))
        yield from (Finding.warning(problem, CORRECT) for problem in found)
        sound += not found
    if sound:
        yield Finding.ok(f"{sound} issuers of Open Badges have addresses of their own.")


def probe_status_lists() -> Iterator[Finding]:
    """Check that revocations are in the signed status lists."""
    since = timezone.now() - UNLISTED
    late = SignedBadge.objects.filter(is_listed=False, award__revocation_recorded_at__lt=since)
    if count := late.count():
        yield Finding.error(
            f"The status lists do not say yet that {count} Open Badges are revoked.",
            "Run a worker (manage.py deliver_badges). If one runs, its log and the channel of the issuer say why.",
        )
    elif SignedBadge.objects.exists():
        yield Finding.ok("The status lists of Open Badges say what is revoked.")


def _profiles() -> list[IssuerProfile]:
    """Return the stored profiles, and drafts for sites whose active badges will be signed."""
    stored = list(IssuerProfile.objects.select_related("site").order_by("pk"))
    signed = Q(is_signed_here=True) | (Q(origin=BadgeTemplate.ORIGIN) if config().enabled else Q(pk=None))
    templates = BadgeTemplate.objects.filter(signed, is_active=True).exclude(site__in=[row.pk for row in stored])
    sites = {template.site_id: template.site for template in templates.select_related("site").order_by("pk")}
    return [*stored, *(issuers.draft(site) for _, site in sorted(sites.items()))]
