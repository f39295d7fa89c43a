"""DataIntegrityProof with the cryptosuite eddsa-rdfc-2022: the proof embedded in a document.

https://www.w3.org/TR/vc-di-eddsa/#eddsa-rdfc-2022
"""

from __future__ import annotations

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from badges_plugin.distribution.open_badges.data import Document


def sign(document: Document, key: Ed25519PrivateKey, method_id: str, created: datetime) -> Document:
    """Return ``document`` with a proof; raise UnsignableBadge if a term in it is undefined."""
    raise NotImplementedError


def verify(document: Document, public_key: Ed25519PublicKey) -> bool:
    """Return whether the proof of ``document`` was made with ``public_key`` over just this document."""
    raise NotImplementedError
