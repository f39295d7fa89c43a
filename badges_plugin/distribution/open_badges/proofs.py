"""DataIntegrityProof with the cryptosuite eddsa-rdfc-2022: the proof embedded in a document.

https://www.w3.org/TR/vc-di-eddsa/#eddsa-rdfc-2022
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from badges_plugin.distribution.open_badges import canonical, multikey
from badges_plugin.distribution.open_badges.data import Document, UnsignableBadge
from badges_plugin.distribution.open_badges.texts import utc

_SIGNATURE_BYTES = 64
_KIND = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "assertionMethod"}
_NAMES = frozenset({*_KIND, "created", "verificationMethod", "proofValue"})


def sign(document: Document, key: Ed25519PrivateKey, method_id: str, created: datetime) -> Document:
    """Return a copy of ``document`` with a proof, instead of one that was there.

    Raises UnsignableBadge if other programs would not verify it: an undefined term, a relative id.
    """
    unsigned = _without_proof(document)
    options = {**_KIND, "created": utc(created), "verificationMethod": method_id}
    try:
        signature = key.sign(_digests(unsigned, options))
    except canonical.NotCanonical as error:
        raise UnsignableBadge(str(error)) from error
    return {**unsigned, "proof": {**options, "proofValue": multikey.to_base58(signature)}}


def method_of(document: Document) -> str | None:
    """Return the verification method that the document's proof names; None unless there is one proof of our kind."""
    proof = _proof(document)
    return None if proof is None else str(proof["verificationMethod"])


def verify(document: Document, public_key: Ed25519PublicKey) -> bool:
    """Return whether the proof of ``document`` was made with ``public_key`` over just this document."""
    proof = _proof(document)
    if proof is None:
        return False
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    try:
        signature = multikey.from_base58(proof["proofValue"], length=_SIGNATURE_BYTES)
        public_key.verify(signature, _digests(_without_proof(document), options))
    except (InvalidSignature, ValueError):
        return False
    return True


def _digests(unsigned: Document, options: Document) -> bytes:
    proof = canonical.to_nquads({"@context": unsigned.get("@context"), **options})
    document = canonical.to_nquads(unsigned)
    return hashlib.sha256(proof).digest() + hashlib.sha256(document).digest()


def _without_proof(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "proof"}


def _proof(document: Document) -> dict[str, str] | None:
    proof = document.get("proof")
    if isinstance(proof, list) and len(proof) == 1:
        proof = proof[0]
    # More than is named here would not be signed, or not be understood.
    if not isinstance(proof, dict) or proof.keys() != _NAMES or not all(isinstance(v, str) for v in proof.values()):
        return None
    return proof if proof.items() >= _KIND.items() else None
