"""Badges as tokens."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from badges_plugin.distribution.open_badges import building, tokens
from tests.open_badges.samples import ISSUER_ID, KID, SIGNED, TOKEN_KEY, facts, signed


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_token_is_the_badge_and_the_claims_that_repeat_it() -> None:
    document = signed(valid_until=datetime(2027, 3, 1, tzinfo=UTC))
    text = tokens.sign(document, TOKEN_KEY, KID)
    assert jwt.get_unverified_header(text) == {"alg": "ES256", "typ": "JWT", "kid": KID}
    claims = jwt.decode(text, options={"verify_signature": False})
    assert {name: claims.pop(name) for name in ("iss", "jti", "sub", "nbf", "exp")} == {
        "iss": ISSUER_ID,
        "jti": document["id"],
        "sub": document["credentialSubject"]["id"],
        "nbf": int(SIGNED.timestamp()),
        "exp": int(datetime(2027, 3, 1, tzinfo=UTC).timestamp()),
    }
    del document["proof"]
    assert claims == document


def test_token_is_read_as_it_was_written() -> None:
    document = building.unsigned_document(facts(name="مرحبا 🏅 ]]>"))
    text = tokens.sign(document, TOKEN_KEY, KID)
    assert tokens.read(text) == tokens.Token(kid=KID, document=document)
    assert tokens.verify(text, TOKEN_KEY.public_key())
    assert "exp" not in jwt.decode(text, options={"verify_signature": False})


def test_token_holds_for_its_key_alone_and_whatever_the_time() -> None:
    text = tokens.sign(signed(valid_until=datetime(2026, 3, 2, tzinfo=UTC)), TOKEN_KEY, KID)
    assert tokens.verify(text, TOKEN_KEY.public_key())
    assert not tokens.verify(text, ec.generate_private_key(ec.SECP256R1()).public_key())


def test_no_byte_of_a_token_can_be_changed() -> None:
    text = tokens.sign(signed(), TOKEN_KEY, KID)
    # Every tenth, and the last ones, which decoders read with tolerance.
    for at in {*range(0, len(text), 10), *range(len(text) - 4, len(text))}:
        tampered = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        assert not tokens.verify(tampered, TOKEN_KEY.public_key()), at
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = last[last.index(text[-1]) + 1]
    assert not tokens.verify(text[:-1] + spare, TOKEN_KEY.public_key())


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_only_es256_is_accepted(algorithm: str) -> None:
    payload = part(signed())
    forged = f"{part({'alg': algorithm, 'kid': KID})}.{payload}.{'A' * 86}"
    assert not tokens.verify(forged, TOKEN_KEY.public_key())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "a.b.c.d",
        "a.b.",
        "%.b.c",
        f"{part({'alg': 'ES256'})}.{part([1])}.AA",
        f"{part('text')}.{part({})}.AA",
        f"{part({})}.{base64.urlsafe_b64encode(b'[' * 50_000).decode().rstrip('=')}.AA",
        f"{part({})}.{base64.urlsafe_b64encode(bytes([255, 254])).decode().rstrip('=')}.AA",
        f"{part({})}.A.AA",
    ],
)
def test_what_is_no_token_of_a_badge_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of several kinds
        tokens.read(text)


def test_a_key_id_that_is_no_text_is_none() -> None:
    assert tokens.read(f"{part({'kid': [KID]})}.{part({'id': 'x'})}.AA").kid == ""
