"""The public documents of issuers, keys and achievements, made when asked for. Status lists are kept signed."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from badges_plugin.distribution.api import BadgeTemplate
from badges_plugin.distribution.open_badges import addresses, building, did_web, issuers, keys
from badges_plugin.distribution.open_badges.data import Document
from badges_plugin.distribution.open_badges.earning import achievements
from badges_plugin.distribution.open_badges.models import IssuerProfile, SignedBadge, SigningKey, StatusList

_MAX_NUMBER = 10**9
"""A larger number of a key, in somebody's URL, may be none that a database takes."""


def did_document(uuid: UUID, host: str) -> Document | None:
    """Return the DID document of an issuer, with every key that still verifies; None for an unknown issuer."""
    profile = _profile(uuid)
    if profile is None:
        return None
    issuer_id = addresses.did(_base_url(profile, host), uuid)
    rows = keys.published(profile)
    return did_web.document(
        issuer_id, {addresses.method_id(issuer_id, row.number): keys.public_ed25519(row) for row in rows}
    )


def profile_document(uuid: UUID, host: str) -> Document | None:
    """Return the profile of an issuer; None for an unknown one."""
    profile = _profile(uuid)
    return building.profile(issuers.facts_of(profile, _base_url(profile, host))) if profile else None


def key_document(uuid: UUID, number: int, host: str) -> Document | None:
    """Return the key that verifies tokens, as one JWK; None for an unknown or retired one."""
    if number > _MAX_NUMBER:
        return None
    row = SigningKey.objects.filter(issuer__uuid=uuid, number=number, retired_at=None).select_related("issuer").first()
    if row is None:
        return None
    kid = addresses.key_url(_base_url(row.issuer, host), uuid, number)
    return did_web.jwk(keys.public_p256(row), kid)


def achievement_document(uuid: UUID, host: str) -> Document | None:
    """Return the achievement of a badge template as it is today; None where nothing was signed for it."""
    template = BadgeTemplate.objects.filter(uuid=uuid).first()
    if template is None or not SignedBadge.objects.filter(award__progress__template=template).exists():
        return None
    profile = IssuerProfile.objects.filter(pk=template.site_id).first() or _first_issuer(template)
    base_url = _base_url(profile, host)
    found = achievements([template], {profile.pk: profile}, base_url=base_url)[template.pk]
    return building.achievement(found.facts, issuers.facts_of(profile, base_url))


def status_list(uuid: UUID) -> str | None:
    """Return a status list as it was signed; None for an unknown one."""
    return StatusList.objects.filter(uuid=uuid).values_list("signed", flat=True).first() or None


def _first_issuer(template: BadgeTemplate) -> IssuerProfile:
    """Return who signed badges of a template that was moved since to a site that signs nothing yet."""
    signed = SignedBadge.objects.filter(award__progress__template=template).select_related("status_list__issuer")
    return signed.earliest("pk").status_list.issuer


def _profile(uuid: UUID) -> IssuerProfile | None:
    return IssuerProfile.objects.filter(uuid=uuid).first()


def _base_url(profile: IssuerProfile, host: str) -> str:
    """Return the base URL of an issuer that is meant: that of the host, of those under which it has ever signed.

    A document must name itself as the badges do that refer to it, also those that were signed before the service moved.
    """
    known = issuers.base_urls(profile)
    return next((each for each in known if urlsplit(each).netloc == host), profile.base_url)
