"""What others have published as right: the test vector of Open Badges 3.0, and known values of the encodings.

The badge, key, canonical forms and proof are those of 1EdTech's implementation guide
(https://www.imsglobal.org/spec/ob/v3p0/impl/#ob-linked-data-proof).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from badges_plugin.distribution.open_badges import canonical, multikey, proofs, status_bits

KEY = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("6241a409e6707bb640a0140a8a32bc3d193c33a661747284d6adfa4ed4180be4")
)
MULTIKEY = "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"
METHOD = f"https://example.edu/issuers/565049#{MULTIKEY}"
CREATED = datetime(2010, 1, 1, 19, 23, 24, tzinfo=UTC)
BADGE: dict[str, Any] = {
    "@context": [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ],
    "id": "http://example.com/credentials/3527",
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "issuer": {
        "id": "https://example.edu/issuers/565049",
        "type": ["Profile"],
        "url": "https://www.imsglobal.org",
        "name": "Example Corp",
    },
    "validFrom": "2010-01-01T00:00:00Z",
    "name": "Teamwork Badge",
    "credentialSubject": {
        "id": "did:example:ebfeb1f712ebc6f1c276e12ec21",
        "type": ["AchievementSubject"],
        "achievement": {
            "id": "https://example.com/achievements/21st-century-skills/teamwork",
            "type": ["Achievement"],
            "criteria": {
                "narrative": "Team members are nominated for this badge by their peers and recognized upon review by "
                "Example Corp management."
            },
            "description": "This badge recognizes the development of the capacity to collaborate within a group "
            "environment.",
            "name": "Teamwork",
        },
    },
}
PROOF_OPTIONS = {
    "@context": BADGE["@context"],
    "type": "DataIntegrityProof",
    "created": "2010-01-01T19:23:24Z",
    "verificationMethod": METHOD,
    "cryptosuite": "eddsa-rdfc-2022",
    "proofPurpose": "assertionMethod",
}
BADGE_DIGEST = "87f65a76d40146205e3b3e06cb0fbd153f97f9ce70372390f52566bb7f9e0773"
PROOF_DIGEST = "d34009cea0dbc1ca941e09dc01c8c9d3e3ce3c5b853f67ee44698dcea10f5d19"
PROOF_VALUE = "z5x9aCBYovW3CQCbKdNyhEm7ffYSw1YpEdPywQJoNbzDD2gkzQDKJ1sYKJaWvqZtkMtSbz35HcbgXVEDYHxCzgkCr"


@pytest.mark.parametrize(("document", "digest"), [(BADGE, BADGE_DIGEST), (PROOF_OPTIONS, PROOF_DIGEST)])
def test_canonical_form_is_the_published_one(document: dict[str, Any], digest: str) -> None:
    assert hashlib.sha256(canonical.to_nquads(document)).hexdigest() == digest


def test_proof_is_the_published_one() -> None:
    signed = proofs.sign(BADGE, KEY, METHOD, CREATED)
    assert signed["proof"]["proofValue"] == PROOF_VALUE
    assert proofs.verify(signed, KEY.public_key())


def test_multikey_is_the_published_one() -> None:
    assert multikey.encode(KEY.public_key()) == MULTIKEY
    assert multikey.decode(MULTIKEY).public_bytes_raw() == KEY.public_key().public_bytes_raw()


@pytest.mark.parametrize(
    ("data", "text"),
    # https://datatracker.ietf.org/doc/html/draft-msporny-base58-03#section-5
    [
        (b"Hello World!", "z2NEpo7TZRRrLZSi2U"),
        (
            b"The quick brown fox jumps over the lazy dog.",
            "zUSm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
        ),
        (bytes.fromhex("0000287fb4cd"), "z11233QC4"),
    ],
)
def test_base58_is_as_published(data: bytes, text: str) -> None:
    assert multikey.to_base58(data) == text
    assert multikey.from_base58(text, length=len(data)) == data


def test_empty_status_list_is_the_published_one() -> None:
    # https://www.w3.org/TR/vc-bitstring-status-list/#example-example-bitstringstatuslistcredential
    published = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
    assert status_bits.decode(published) == status_bits.empty()
