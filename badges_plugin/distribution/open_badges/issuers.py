"""Issuer profiles: made from what the site's configuration says, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from django.contrib.sites.models import Site
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from badges_plugin.distribution.api import RejectedKey
from badges_plugin.distribution.open_badges import addresses
from badges_plugin.distribution.open_badges.conf import config
from badges_plugin.distribution.open_badges.data import IssuerFacts
from badges_plugin.distribution.open_badges.models import IssuerProfile, StatusList
from badges_plugin.host import site_facts

EXAMPLE = "example.com"
"""The domain of Django's own first site: that of nobody who issues badges."""

UNUSABLE = gettext_noop(
    "The base URL of the issuer profile is that of an example. Correct it in the admin (Issuer profiles): everything "
    "that is signed names it for ever."
)


def profiles(site_ids: Collection[int]) -> dict[int, IssuerProfile]:
    """Return the issuer profiles of sites, by site; they are made where there are none. One query if none is made."""
    found = {row.pk: row for row in IssuerProfile.objects.filter(pk__in=site_ids)}
    if missing := set(site_ids) - found.keys():
        found |= {site.pk: make(site) for site in Site.objects.filter(pk__in=missing).order_by("pk")}
    return found


def make(site: Site) -> IssuerProfile:
    """Return the stored profile of a site that had none. Of two processes that make it, both get the same."""
    row = draft(site)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return IssuerProfile.objects.get(pk=site.pk)
    return row


def draft(site: Site) -> IssuerProfile:
    """Return a profile of a site as its configuration suggests it, not stored."""
    known = site_facts(site)
    base_url = config().base_url or f"https://{site.domain}/"
    return IssuerProfile(
        site=site,
        name=known.platform_name or site.name or site.domain,
        url=known.lms_url or base_url,
        base_url=base_url,
        email=known.contact_email,
    )


def base_urls(profile: IssuerProfile) -> list[str]:
    """Return the base URLs under which an issuer signs and has signed, today's first. One query."""
    earlier = StatusList.objects.filter(issuer=profile).order_by("pk").values_list("base_url", flat=True)
    return list(dict.fromkeys([profile.base_url, *earlier]))


def facts_of(profile: IssuerProfile, base_url: str = "") -> IssuerFacts:
    """Return the issuer as its documents name it, under today's base URL or an earlier one."""
    return IssuerFacts(
        id=addresses.did(base_url or profile.base_url, profile.uuid),
        name=profile.name,
        url=profile.url,
        email=profile.email,
        description=profile.description,
        image_url=profile.image_url,
    )


def refusal(profile: IssuerProfile) -> RejectedKey | None:
    """Return why nothing may be signed for an issuer; None if something may."""
    return RejectedKey(UNUSABLE) if _is_example(profile.base_url) else None


def problems(profile: IssuerProfile) -> Iterator[str]:
    """Yield, in sentences for operators, what is wrong with the addresses of a profile."""
    parts = urlsplit(profile.base_url)
    whose = f"the issuer profile of site {profile.site.domain}"
    if _is_example(profile.base_url):
        yield f"The base URL of {whose} is {profile.base_url}: nothing is signed."
        return
    if parts.scheme != "https":
        yield f"The base URL of {whose} does not start with https://: wallets and validators refuse its badges."
    if parts.port is not None:
        yield f"The base URL of {whose} has a port ({parts.netloc}), as development sites have."
    elif parts.hostname != profile.site.domain:
        yield f"The base URL of {whose} names another host: {parts.netloc}."
    if not profile.name.strip() or not profile.url.strip():
        yield f"The name or the website of {whose} is missing."


def _is_example(base_url: str) -> bool:
    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:
        return True
    return host in {"", EXAMPLE}
