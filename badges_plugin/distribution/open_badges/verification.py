"""Whether a badge that somebody shows is genuine, and if not, why not, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from badges_plugin.distribution.open_badges.data import Document


class Outcome(Enum):
    """What a verification comes to."""

    VALID = "valid"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_OURS = "not_ours"
    TAMPERED = "tampered"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reason`` is a sentence for people. ``document`` is what was shown, unless it was unreadable."""

    outcome: Outcome
    reason: str
    document: Document | None = None
    signed_badge_uuid: UUID | None = None


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A public key that signs or has signed here, and the issuer whose key it is."""

    public_key: Ed25519PublicKey | EllipticCurvePublicKey
    issuer_id: str


@dataclass(frozen=True, slots=True)
class KnownBadge:
    """What the site knows of a badge that it signed; ``is_erased``: its learner has been erased."""

    uuid: UUID
    is_revoked: bool
    is_erased: bool = False
    expires_at: datetime | None = None


class Records(Protocol):
    """What the site remembers. Each is asked at most once per verification, and none goes to the network."""

    def key(self, method_id: str) -> KnownKey | None:
        """Return the key of a verification method (embedded proof) or ``kid`` (token); None if it is not ours."""

    def is_issuer(self, issuer_id: str) -> bool:
        """Return whether the id is that of an issuer here."""

    def badge(self, badge_id: str) -> KnownBadge | None:
        """Return what is known of the badge with the ``id`` of its document."""

    def text_at(self, url: str) -> str | None:
        """Return the signed JSON of the published badge at an address of ours; None for any other address."""


def verify(data: bytes | str, records: Records, now: datetime) -> Verdict:
    """Judge what somebody shows: JSON, a token, a baked PNG or SVG, or the address of a badge of ours.

    Never raises for what is in ``data``, and never fetches anything.
    """
    raise NotImplementedError
