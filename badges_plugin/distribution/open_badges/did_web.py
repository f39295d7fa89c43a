"""did:web: issuers whose keys are found at an address of theirs.

https://w3c-ccg.github.io/did-method-web/
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from badges_plugin.distribution.open_badges import multikey
from badges_plugin.distribution.open_badges.data import Document

_CONTEXTS = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
    "https://w3id.org/security/jwk/v1",
)
_COORDINATE_BYTES = 32


def did_of(url: str) -> str:
    """Return the DID whose document is at ``url`` + "/did.json".

    ``https://example.org:8443/badges/1/`` is ``did:web:example.org%3A8443:badges:1``. Without a path the document is
    at /.well-known/did.json instead. Raises ValueError if ``url`` has no host.
    """
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(f"no host in {url!r}")
    host = parts.hostname if parts.port is None else f"{parts.hostname}%3A{parts.port}"
    path = [quote(segment, safe="%") for segment in parts.path.split("/") if segment]
    return ":".join(["did:web", host, *path])


def document(issuer_id: str, keys: Mapping[str, Ed25519PublicKey | EllipticCurvePublicKey]) -> Document:
    """Return the DID document of an issuer; ``keys`` maps method ids ("<issuer_id>#key-1") to public keys.

    Validators want ``assertionMethod`` to hold ids, not objects, and ``controller`` to be the badges' ``issuer.id``.
    """
    return {
        "@context": list(_CONTEXTS),
        "id": issuer_id,
        "verificationMethod": [_method(issuer_id, method_id, key) for method_id, key in keys.items()],
        "assertionMethod": list(keys),
    }


def jwk(key: EllipticCurvePublicKey, kid: str = "") -> Document:
    """Return a P-256 public key as JSON Web Key. Validators take the body at the ``kid`` of a token for the key."""
    numbers = key.public_numbers()
    found = {
        "kty": "EC",
        "crv": "P-256",
        "x": _coordinate(numbers.x),
        "y": _coordinate(numbers.y),
        "alg": "ES256",
        "use": "sig",
    }
    return {**found, "kid": kid} if kid else found


def _method(issuer_id: str, method_id: str, key: Ed25519PublicKey | EllipticCurvePublicKey) -> Document:
    if isinstance(key, Ed25519PublicKey):
        kind: Document = {"type": "Multikey", "publicKeyMultibase": multikey.encode(key)}
    else:
        kind = {"type": "JsonWebKey", "publicKeyJwk": jwk(key)}
    return {"id": method_id, "controller": issuer_id, **kind}


def _coordinate(number: int) -> str:
    return multikey.to_base64url(number.to_bytes(_COORDINATE_BYTES))
