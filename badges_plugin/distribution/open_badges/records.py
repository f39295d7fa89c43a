"""What the database knows of keys, issuers and badges, for verification."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

from badges_plugin.distribution.open_badges import addresses, issuers, keys
from badges_plugin.distribution.open_badges.models import BadgeStatus, IssuerProfile, SignedBadge, SigningKey
from badges_plugin.distribution.open_badges.verification import KnownBadge, KnownKey

_UUID = r"(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_ISSUER = re.compile(rf"^did:web:[^#]*:issuers:{_UUID}$")
_METHOD = re.compile(rf"^did:web:[^#]*:issuers:{_UUID}#key-(?P<number>[0-9]{{1,9}})$")
_KID = re.compile(rf"^https?://.*/issuers/{_UUID}/keys/(?P<number>[0-9]{{1,9}})$")


class DatabaseRecords:
    """The records of one verification. A text that only looks like one of ours is compared with what is stored."""

    def __init__(self, is_public: Callable[[int], bool]) -> None:
        self._is_public = is_public

    def key(self, method_id: str) -> KnownKey | None:
        """Return the key of a verification method or a ``kid``; None if it is not ours, or retired. Two queries."""
        found = _METHOD.match(method_id) or _KID.match(method_id)
        row = _key(found) if found else None
        if row is None:
            return None
        for base_url in issuers.base_urls(row.issuer):
            issuer_id = addresses.did(base_url, row.issuer.uuid)
            if method_id == addresses.method_id(issuer_id, row.number):
                return KnownKey(keys.public_ed25519(row), issuer_id)
            if method_id == addresses.key_url(base_url, row.issuer.uuid, row.number):
                return KnownKey(keys.public_p256(row), issuer_id)
        return None

    def is_issuer(self, issuer_id: str) -> bool:
        """Return whether an id is that of an issuer here, under any base URL that it ever had. Two queries."""
        found = _ISSUER.match(issuer_id)
        profile = IssuerProfile.objects.filter(uuid=UUID(found["uuid"])).first() if found else None
        return profile is not None and issuer_id in _ids(profile)

    def badge(self, badge_id: str) -> KnownBadge | None:
        """Return what is known of the badge with this ``id``. One query."""
        row = _badge(badge_id)
        if row is None or row.url != badge_id or row.signed_at is None:
            return None
        return KnownBadge(
            row.uuid,
            is_revoked=row.status == BadgeStatus.REVOKED,
            is_erased=row.erased_at is not None,
            expires_at=row.expires_at,
        )

    def text_at(self, url: str) -> str | None:
        """Return the signed JSON of the public badge at an address of ours. One query, and what ``is_public`` asks."""
        row = _badge(url)
        if row is None or not url.strip().startswith(row.url.rstrip("/")) or not row.document:
            return None
        return row.document if self._is_public(row.award_id) else None


def _badge(url: str) -> SignedBadge | None:
    uuid = addresses.badge_uuid(url)
    return SignedBadge.objects.filter(uuid=uuid).first() if uuid else None


def _key(found: re.Match[str]) -> SigningKey | None:
    rows = SigningKey.objects.filter(issuer__uuid=UUID(found["uuid"]), number=int(found["number"]), retired_at=None)
    return rows.select_related("issuer").first()


def _ids(profile: IssuerProfile) -> set[str]:
    return {addresses.did(base_url, profile.uuid) for base_url in issuers.base_urls(profile)}
