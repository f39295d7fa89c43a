"""VC-JWT with ES256: a badge as a JSON Web Token.

https://www.imsglobal.org/spec/ob/v3p0/#jwt-proof . The official validator takes RS256 and ES256 only; the shorter one
is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

from badges_plugin.distribution.open_badges import multikey, strict_json
from badges_plugin.distribution.open_badges.data import Document

_ALGORITHM = "ES256"
#: The shape of a compact JWS.
SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SIGNATURE_CHARACTERS = 86
#: Claims that repeat what the document says.
_CLAIMS = ("iss", "jti", "sub", "nbf", "exp")
# Times are for the caller to judge, and nothing here has an audience.
_CHECKS = {f"verify_{claim}": False for claim in (*_CLAIMS, "iat", "aud")}


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was read, not verified. ``document`` is the badge without the claims."""

    kid: str
    document: Document


def sign(document: Document, key: EllipticCurvePrivateKey, kid: str) -> str:
    """Return ``document`` (its embedded proof left out) as a compact JWS; ``kid`` is the URL of one JWK."""
    payload = {name: value for name, value in document.items() if name != "proof"}
    payload["iss"] = document["issuer"]["id"]
    payload["jti"] = document["id"]
    payload["sub"] = document["credentialSubject"]["id"]
    payload["nbf"] = _seconds(document["validFrom"])
    if "validUntil" in document:
        payload["exp"] = _seconds(document["validUntil"])
    return jwt.encode(payload, key, algorithm=_ALGORITHM, headers={"typ": "JWT", "kid": kid})


def read(text: str) -> Token:
    """Return what the token says, unverified; raise ValueError if it is none that carries a JSON object."""
    if not SHAPE.fullmatch(text):
        raise ValueError("not a compact JWS")
    header, payload, _signature = text.split(".")
    head = strict_json.read_object(multikey.from_base64url(header).decode())
    body = strict_json.read_object(multikey.from_base64url(payload).decode())
    kid = head.get("kid")
    return Token(
        kid=kid if isinstance(kid, str) else "",
        document={name: value for name, value in body.items() if name not in _CLAIMS},
    )


def verify(text: str, public_key: EllipticCurvePublicKey) -> bool:
    """Return whether the token was signed with ``public_key``. Times are for the caller to judge."""
    signature = text.rpartition(".")[2]
    # The last character has bits to spare, which decoders ignore: another one would pass for the same signature.
    if len(signature) != _SIGNATURE_CHARACTERS or signature[-1] not in "AQgw":
        return False
    try:
        jwt.decode(text, public_key, algorithms=[_ALGORITHM], options=_CHECKS)
    except jwt.InvalidTokenError:
        return False
    return True


def _seconds(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp())
