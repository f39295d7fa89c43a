"""The documents of the site's own badges, before they are signed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from badges_plugin.distribution.open_badges.data import AchievementFacts, BadgeFacts, Document, IssuerFacts


def unsigned_document(facts: BadgeFacts) -> Document:
    """Return the OpenBadgeCredential of ``facts``; raise UnsignableBadge if wallets would refuse it."""
    raise NotImplementedError


def profile(issuer: IssuerFacts) -> Document:
    """Return the issuer's Profile as a document of its own, with contexts."""
    raise NotImplementedError


def achievement(facts: AchievementFacts, issuer: IssuerFacts) -> Document:
    """Return the Achievement as a document of its own, with contexts and its creator."""
    raise NotImplementedError


def did_document(issuer_id: str, keys: Mapping[str, Ed25519PublicKey | EllipticCurvePublicKey]) -> Document:
    """Return the did:web document of an issuer; ``keys`` maps method ids ("<issuer_id>#key-1") to public keys."""
    raise NotImplementedError


def jwk(key: EllipticCurvePublicKey, kid: str) -> Document:
    """Return the JSON Web Key that ``kid``, its own address, answers with."""
    raise NotImplementedError


def status_list(url: str, issuer_id: str, bits: bytes, valid_from: datetime) -> Document:
    """Return the BitstringStatusListCredential at ``url``, to be signed with ``proofs.sign``."""
    raise NotImplementedError
