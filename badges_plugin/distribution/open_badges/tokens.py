"""VC-JWT with ES256: a badge as a JSON Web Token.

https://www.imsglobal.org/spec/ob/v3p0/#jwt-proof
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

from badges_plugin.distribution.open_badges.data import Document


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was read, not verified."""

    kid: str
    document: Document


def sign(document: Document, key: EllipticCurvePrivateKey, kid: str) -> str:
    """Return ``document`` (its embedded proof left out) as a compact JWS; ``kid`` is the URL of one JWK."""
    raise NotImplementedError


def read(text: str) -> Token:
    """Return what the token says, unverified; raise ValueError if it is none of the kind that ``sign`` makes."""
    raise NotImplementedError


def verify(text: str, public_key: EllipticCurvePublicKey) -> bool:
    """Return whether the token was signed with ``public_key``. Times are for the caller to judge."""
    raise NotImplementedError
