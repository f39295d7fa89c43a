"""One badge, and the keys that sign it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from badges_plugin.distribution.open_badges import building, proofs
from badges_plugin.distribution.open_badges.data import AchievementFacts, BadgeFacts, Document, IssuerFacts

KEY: Final = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
TOKEN_KEY: Final = ec.derive_private_key(4711, ec.SECP256R1())
ISSUER_ID: Final = "did:web:badges.example.org:badges:open:issuers:1"
METHOD_ID: Final = f"{ISSUER_ID}#key-1"
KID: Final = "https://badges.example.org/badges/open/issuers/1/keys/1"
EARNED: Final = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SIGNED: Final = datetime(2026, 3, 1, 9, 31, tzinfo=UTC)

ISSUER: Final = IssuerFacts(id=ISSUER_ID, name="Example University", url="https://example.org/")
ACHIEVEMENT: Final = AchievementFacts(
    id="https://badges.example.org/badges/open/achievements/1/",
    name="Data hero",
    description="Works with data.",
    criteria="Pass *Data 101*.",
)


def facts(**changes: Any) -> BadgeFacts:
    """Return a badge with no more than is needed, and with ``changes``."""
    needed: dict[str, Any] = {
        "id": "https://badges.example.org/badges/b/1/",
        "issuer": ISSUER,
        "achievement": ACHIEVEMENT,
        "subject_id": "urn:uuid:6a3f2f0e-59d5-4f43-8b1c-0a3f1b7f8f10",
        "email": "",
        "salt": "",
        "awarded_at": EARNED,
        "valid_from": SIGNED,
    }
    return BadgeFacts(**needed | changes)


def signed(**changes: Any) -> Document:
    """Return that badge, signed."""
    return copy.deepcopy(_signed(facts(**changes)))


@cache
def _signed(facts: BadgeFacts) -> Document:
    return proofs.sign(building.unsigned_document(facts), KEY, METHOD_ID, SIGNED)
