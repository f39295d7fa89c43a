"""Keys, status bits, identities and DIDs as text."""

from __future__ import annotations

import base64
import gzip
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from badges_plugin.distribution.open_badges import building, did_web, multikey, status_bits
from tests.open_badges.samples import ISSUER_ID, KEY, KID, METHOD_ID, TOKEN_KEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi",  # without the prefix of base58
        "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hw",  # too short
        "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hw0",  # a letter that base58 does not have
        "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",  # a P-256 key
        "z" + "1" * 34,
        "z" + "6" * 1_000_000,  # too long to be worth reading
    ],
)
def test_text_that_is_no_ed25519_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not"):
        multikey.decode(text)


def test_index_zero_is_the_highest_bit_of_the_first_byte() -> None:
    assert status_bits.with_bit(status_bits.empty(), 0)[:2] == b"\x80\x00"
    assert status_bits.with_bit(status_bits.empty(), 9)[:2] == b"\x00\x40"
    assert status_bits.with_bit(status_bits.empty(), status_bits.LENGTH - 1)[-1] == 1


def test_a_bit_is_set_and_taken_back_alone() -> None:
    revoked = status_bits.with_bit(status_bits.with_bit(status_bits.empty(), 7), 70_000)
    decoded = status_bits.decode(status_bits.encode(revoked))
    assert (status_bits.is_set(decoded, 7), status_bits.is_set(decoded, 70_000)) == (True, True)
    assert int.from_bytes(decoded).bit_count() == 2
    assert status_bits.with_bit(status_bits.with_bit(decoded, 7, value=False), 70_000, value=False) == bytes(16_384)


def test_the_same_bits_are_the_same_short_text() -> None:
    encoded = status_bits.encode(status_bits.with_bit(status_bits.empty(), 1234))
    assert encoded == status_bits.encode(status_bits.with_bit(status_bits.empty(), 1234))
    assert len(encoded) < 100


@pytest.mark.parametrize("index", [-1, status_bits.LENGTH])
def test_the_list_has_no_index_beyond_its_end(index: int) -> None:
    with pytest.raises(IndexError):
        status_bits.is_set(status_bits.empty(), index)
    with pytest.raises(IndexError):
        status_bits.with_bit(status_bits.empty(), index)


def _packed(size: int) -> str:
    return "u" + base64.urlsafe_b64encode(gzip.compress(bytes(size), mtime=0)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "encoded", ["", "u", "uH4sI", "x" + _packed(16_384)[1:], "u%%%%", _packed(16_383), _packed(50_000_000)]
)
def test_what_is_no_list_is_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match="not"):
        status_bits.decode(encoded)


def test_hash_of_an_address_can_be_checked_and_not_read() -> None:
    found = building.hashed_email("Ada@example.org", "pepper")
    assert found == {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": "sha256$" + hashlib.sha256(b"Ada@example.orgpepper").hexdigest(),
        "identityType": "emailAddress",
        "salt": "pepper",
    }


@pytest.mark.parametrize(
    ("url", "did"),
    [
        ("https://example.org/badges/open/issuers/1/", "did:web:example.org:badges:open:issuers:1"),
        ("https://example.org/badges/open/issuers/1", "did:web:example.org:badges:open:issuers:1"),
        ("https://Example.org:8443/a", "did:web:example.org%3A8443:a"),
        ("https://example.org", "did:web:example.org"),
        ("https://example.org/a b/c:d/%20", "did:web:example.org:a%20b:c%3Ad:%20"),
    ],
)
def test_did_of_an_address(url: str, did: str) -> None:
    assert did_web.did_of(url) == did


def test_an_address_without_a_host_has_no_did() -> None:
    with pytest.raises(ValueError, match="no host"):
        did_web.did_of("/badges/open/issuers/1/")


def test_did_document_names_keys_as_validators_want_them() -> None:
    token_method = f"{ISSUER_ID}#token-1"
    document = did_web.document(ISSUER_ID, {METHOD_ID: KEY.public_key(), token_method: TOKEN_KEY.public_key()})
    assert document["id"] == ISSUER_ID
    assert document["assertionMethod"] == [METHOD_ID, token_method]
    embedded, token = document["verificationMethod"]
    assert embedded == {
        "id": METHOD_ID,
        "controller": ISSUER_ID,
        "type": "Multikey",
        "publicKeyMultibase": multikey.encode(KEY.public_key()),
    }
    assert token["publicKeyJwk"] == did_web.jwk(TOKEN_KEY.public_key())
    assert (token["id"], token["controller"], token["type"]) == (token_method, ISSUER_ID, "JsonWebKey")


def test_json_web_key_is_public_and_whole() -> None:
    # A coordinate that begins with zeros keeps its length.
    key = next(key for key in (ec.derive_private_key(n, ec.SECP256R1()) for n in range(200, 2000)) if _is_short(key))
    jwk = did_web.jwk(key.public_key(), KID)
    assert jwk.keys() == {"kty", "crv", "x", "y", "alg", "use", "kid"}
    assert jwk["kid"] == KID
    assert {len(jwk["x"]), len(jwk["y"])} == {43}


def _is_short(key: ec.EllipticCurvePrivateKey) -> bool:
    return key.public_key().public_numbers().x.bit_length() <= 248
