"""An issuer with keys of its own, and all that a judge finds of it on the network."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from badges_plugin.distribution.open_badges import building, canonical, did_web, proofs, status_bits, tokens
from badges_plugin.distribution.open_badges.data import BadgeFacts, Document
from tests.conformance.generated import HOST, ISSUER_ID, LIST_URL, START

ISSUER_URL = f"{HOST}/badges/open/issuers/1/"
METHOD_ID = f"{ISSUER_ID}#key-1"
KID = f"{ISSUER_URL}keys/1"
SCHEMA = Path(__file__).parent / "schemas" / "ob_v3p0_achievementcredential_schema.json"


@dataclass
class Issuer:
    """Signs as the site does. The keys are the same in every run; an ES256 signature is not."""

    key: Ed25519PrivateKey = field(default_factory=lambda: Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    token_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.derive_private_key(7**40, ec.SECP256R1()))

    def signed(self, facts: BadgeFacts) -> Document:
        return proofs.sign(building.unsigned_document(facts), self.key, METHOD_ID, facts.valid_from)

    def token(self, document: Document) -> str:
        return tokens.sign(document, self.token_key, KID)

    def network(self, *revoked: int) -> dict[str, Any]:
        """Return what is found at each address; the bits of ``revoked`` are set in the status list."""
        bits = status_bits.empty()
        for index in revoked:
            bits = status_bits.with_bit(bits, index)
        unsigned = building.status_list(LIST_URL, ISSUER_ID, bits, START)
        return {
            **{url: canonical.context(url) for url in canonical.URLS},
            f"{ISSUER_URL}did.json": did_web.document(ISSUER_ID, {METHOD_ID: self.key.public_key()}),
            KID: did_web.jwk(self.token_key.public_key(), KID),
            LIST_URL: proofs.sign(unsigned, self.key, METHOD_ID, START),
            building.SCHEMA: json.loads(SCHEMA.read_text()),
        }
