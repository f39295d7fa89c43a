"""The door for the pages, the REST API and the mails: signed badges as frozen data, and verification.

Each function says how many queries it makes, for any number of rows. Whoever asks decides who may see it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.contrib.sites.models import Site
from django.db.models import QuerySet
from django.utils import timezone

from badges_plugin.distribution.open_badges import issuers, verification
from badges_plugin.distribution.open_badges.baking import UnbakeablePicture, bake_png, bake_svg
from badges_plugin.distribution.open_badges.models import BadgeStatus, IssuerProfile, SignedBadge
from badges_plugin.distribution.open_badges.records import DatabaseRecords
from badges_plugin.distribution.open_badges.verification import Outcome, Verdict

__all__ = [
    "IssuerProfileData",
    "Outcome",
    "SignedDocument",
    "UnbakeablePicture",
    "Verdict",
    "bake_png",
    "bake_svg",
    "documents_of",
    "find_document",
    "issuer_of",
    "verify",
]


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A signed badge. ``url`` is its ``id`` and its public page; ``json_text`` has its proof embedded.

    Of an erased learner only the identifiers are left (``is_erased``), and the texts are empty.

    .. pii: A salted hash of the learner's e-mail address, in memory; never logged.
    .. pii_types: email_address
    .. pii_retirement: retained
    """

    award_id: int
    uuid: UUID
    json_text: str = field(repr=False)
    jwt: str = field(repr=False)
    is_revoked: bool
    expires_at: datetime | None
    url: str
    is_erased: bool = False


@dataclass(frozen=True, slots=True)
class IssuerProfileData:
    """Who signs the badges of a site, the URL of the service, and the address for questions, which may be empty."""

    name: str
    base_url: str
    email: str


def documents_of(award_ids: Collection[int]) -> dict[int, SignedDocument]:
    """Return the signed badges of awards by their keys; awards that are not signed (yet) are left out. One query."""
    return {row.award_id: _document(row) for row in _signed().filter(award__in=list(award_ids))}


def find_document(uuid: UUID) -> SignedDocument | None:
    """Return the signed badge with this identifier; None where there is none. One query."""
    row = _signed().filter(uuid=uuid).first()
    return _document(row) if row else None


def issuer_of(site: Site) -> IssuerProfileData:
    """Return who signs the badges of a site: the stored profile, or what its configuration suggests. Two queries."""
    profile = IssuerProfile.objects.filter(pk=site.pk).first() or issuers.draft(site)
    return IssuerProfileData(profile.name, profile.base_url, profile.email)


def verify(data: bytes | str, *, is_public: Callable[[int], bool] = lambda award_id: False) -> Verdict:
    """Judge a badge that somebody shows: JSON, a token, a baked PNG or SVG, or the address of one of ours.

    Never raises for what is in ``data``, and nothing is fetched. By its address alone only a badge is judged whose
    award ``is_public`` allows to be shown. At most four queries.
    """
    return verification.verify(data, DatabaseRecords(is_public), timezone.now())


def _signed() -> QuerySet[SignedBadge]:
    return SignedBadge.objects.exclude(signed_at=None).order_by("pk")


def _document(row: SignedBadge) -> SignedDocument:
    return SignedDocument(
        award_id=row.award_id,
        uuid=row.uuid,
        json_text=row.document,
        jwt=row.jwt,
        is_revoked=row.status == BadgeStatus.REVOKED,
        expires_at=row.expires_at,
        url=row.url,
        is_erased=row.erased_at is not None,
    )
