"""Everything that somebody may show, and what they are told."""

from __future__ import annotations

import dataclasses
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from badges_plugin.distribution.open_badges import baking, building, proofs, strict_json, tokens, verification
from badges_plugin.distribution.open_badges.data import Document
from badges_plugin.distribution.open_badges.verification import KnownBadge, KnownKey, Outcome, Verdict
from tests.open_badges.samples import ISSUER_ID, KEY, KID, METHOD_ID, SIGNED, TOKEN_KEY, facts, signed

UUID_ = UUID("6a3f2f0e-59d5-4f43-8b1c-0a3f1b7f8f10")
URL = "https://badges.example.org/badges/b/1/"
NOW = SIGNED + timedelta(days=30)
KEYS = {METHOD_ID: KnownKey(KEY.public_key(), ISSUER_ID), KID: KnownKey(TOKEN_KEY.public_key(), ISSUER_ID)}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


class Records:
    """A site that knows one badge. Counts what it is asked."""

    def __init__(self, badge: KnownBadge | None = None) -> None:
        self.known = badge
        self.asked: list[str] = []

    def key(self, method_id: str) -> KnownKey | None:
        self.asked.append("key")
        return KEYS.get(method_id)

    def is_issuer(self, issuer_id: str) -> bool:
        self.asked.append("is_issuer")
        return issuer_id == ISSUER_ID

    def badge(self, badge_id: str) -> KnownBadge | None:
        self.asked.append("badge")
        return self.known if badge_id == URL else None

    def text_at(self, url: str) -> str | None:
        self.asked.append("text_at")
        return json.dumps(signed()) if url == URL else None


def verify(data: bytes | str, now: datetime = NOW, **changes: Any) -> Verdict:
    badge = KnownBadge(UUID_, is_revoked=False)
    return verification.verify(data, Records(dataclasses.replace(badge, **changes)), now)


def shown(**changes: Any) -> str:
    return json.dumps(signed(**changes), ensure_ascii=False)


def png() -> bytes:
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        shown(),
        shown().encode(),
        b"\xef\xbb\xbf\r\n " + shown().encode() + b"\n",
        json.dumps(signed(), indent=4, ensure_ascii=True, sort_keys=True),
        json.dumps({"type": ["VerifiablePresentation"], "verifiableCredential": [signed()]}),
        json.dumps({"type": "VerifiablePresentation", "verifiableCredential": signed()}),
        tokens.sign(signed(), TOKEN_KEY, KID),
        tokens.sign(signed(), TOKEN_KEY, KID).encode() + b"\n",
        baking.bake_png(png(), shown()),
        baking.bake_png(png(), tokens.sign(signed(), TOKEN_KEY, KID)),
        baking.bake_svg(SVG, shown()),
        baking.bake_svg(SVG, shown()).decode(),
        f" {URL} ",
    ],
)
def test_a_genuine_badge_is_valid_however_it_is_shown(data: bytes | str) -> None:
    verdict = verify(data)
    assert (verdict.outcome, verdict.signed_badge_uuid) == (Outcome.VALID, UUID_)
    assert verdict.document is not None
    assert verdict.document["id"] == URL
    assert verdict.reason == "This badge is genuine and valid."


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({"is_revoked": True}, Outcome.REVOKED, "has been revoked"),
        ({"is_erased": True}, Outcome.REVOKED, "has been deleted"),
        ({"is_revoked": True, "expires_at": NOW}, Outcome.REVOKED, "has been revoked"),
        ({"expires_at": NOW}, Outcome.EXPIRED, "has expired"),
        ({"expires_at": NOW + timedelta(seconds=1)}, Outcome.VALID, "valid"),
    ],
)
def test_a_genuine_badge_is_no_better_than_its_record(changes: dict[str, Any], outcome: Outcome, reason: str) -> None:
    verdict = verify(shown(), **changes)
    assert verdict.outcome is outcome
    assert reason in verdict.reason
    assert verdict.signed_badge_uuid == UUID_


@pytest.mark.parametrize("as_token", [False, True])
def test_a_badge_expires_at_the_time_that_stands_in_it(as_token: bool) -> None:
    document = signed(valid_until=NOW)
    data = tokens.sign(document, TOKEN_KEY, KID) if as_token else json.dumps(document)
    assert verify(data, NOW - timedelta(seconds=1)).outcome is Outcome.VALID
    assert verify(data, NOW).outcome is Outcome.EXPIRED


def test_a_badge_without_a_record_is_not_vouched_for() -> None:
    verdict = verification.verify(shown(), Records(None), NOW)
    assert (verdict.outcome, verdict.signed_badge_uuid) == (Outcome.REVOKED, None)


def _forged() -> Document:
    """Return a badge in our name, signed by somebody else under the name of our key."""
    return proofs.sign(building.unsigned_document(facts()), Ed25519PrivateKey.generate(), METHOD_ID, SIGNED)


def _of_others(**changes: Any) -> Document:
    document = building.unsigned_document(facts()) | changes
    document["issuer"] = {**document["issuer"], "id": "https://other.example/issuer"}
    return proofs.sign(document, Ed25519PrivateKey.generate(), "https://other.example/issuer#key", SIGNED)


def _in_other_name() -> Document:
    """Return a badge of another issuer that is signed with our key, as a stranger on this site might want."""
    document = building.unsigned_document(facts())
    document["issuer"] = {**document["issuer"], "id": "https://other.example/issuer"}
    return proofs.sign(document, KEY, METHOD_ID, SIGNED)


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (shown().replace("Data hero", "Data Hero"), Outcome.TAMPERED),
        (shown().replace('"name"', '"nome"'), Outcome.TAMPERED),
        (json.dumps(_forged()), Outcome.TAMPERED),
        (json.dumps(_in_other_name()), Outcome.TAMPERED),
        (json.dumps(building.unsigned_document(facts())), Outcome.TAMPERED),
        (json.dumps({**signed(), "proof": {"type": "RsaSignature2018"}}), Outcome.TAMPERED),
        (json.dumps({**signed(), "proof": [signed()["proof"]] * 2}), Outcome.TAMPERED),
        (tokens.sign(signed(), TOKEN_KEY, METHOD_ID), Outcome.TAMPERED),  # the key of the other form
        (tokens.sign(signed(), TOKEN_KEY, KID)[:-2] + "AA", Outcome.TAMPERED),
        (tokens.sign(signed(), TOKEN_KEY, "https://other.example/key"), Outcome.TAMPERED),
        (json.dumps(_of_others()), Outcome.NOT_OURS),
        (tokens.sign(_of_others(), TOKEN_KEY, "https://other.example/key"), Outcome.NOT_OURS),
        (json.dumps({**_of_others(), "issuer": "https://other.example/issuer"}), Outcome.NOT_OURS),
        ('{"type": "Assertion", "badge": "https://other.example/badge"}', Outcome.NOT_OURS),
        ('{"type": "VerifiableCredential", "issuer": [7], "proof": 7}', Outcome.NOT_OURS),
        ("https://other.example/badges/b/1/", Outcome.NOT_OURS),
        ("https://" + "x" * 5000, Outcome.NOT_OURS),
    ],
)
def test_what_is_not_genuine_is_told_apart(data: str, outcome: Outcome) -> None:
    verdict = verify(data)
    assert verdict.outcome is outcome, verdict.reason
    assert verdict.signed_badge_uuid is None


@pytest.mark.parametrize(
    "data",
    [
        "",
        b"",
        " \n",
        "hello",
        b"\xff\xfe\x00",
        "\ud83d",
        "[]",
        "7",
        "null",
        "{}",
        '{"type": "Person"}',
        '{"type": {"VerifiableCredential": 1}}',
        '{"type": "VerifiablePresentation"}',
        '{"type": "VerifiablePresentation", "verifiableCredential": ["a", "b"]}',
        '{"type": "VerifiablePresentation", "verifiableCredential": "a.b.c"}',
        '{"type": "VerifiableCredential", "type": "VerifiableCredential"}',  # a key twice
        '{"type": "VerifiableCredential", "n": NaN}',
        '{"type": "VerifiableCredential", "n": ' + "9" * 5000 + "}",
        '{"type": "VerifiableCredential", "n": 1e' + "9" * 5000 + "}",
        '{"type": "VerifiableCredential", "x": ' + "[" * 100_000,
        '{"a":' * 30 + "1" + "}" * 30,
        '{"type": "VerifiableCredential", "x": "' + "x" * strict_json.MAX_CHARACTERS + '"}',
        "x" * (verification.MAX_BYTES + 1),
        "a.b.c",
        "<html>",
        png(),
        SVG,
        baking.bake_png(png(), "hello"),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
    ],
)
def test_junk_gets_a_plain_answer(data: bytes | str) -> None:
    verdict = verify(data)
    assert (verdict.outcome, verdict.document) == (Outcome.UNREADABLE, None)
    assert verdict.reason.endswith(".")


def test_the_longest_badge_that_is_signed_can_be_read() -> None:
    # In a token each of these letters takes eight characters.
    document = signed(name="م" * ((building.MAX_CHARACTERS - 2_000) // 6))
    assert verify(json.dumps(document, indent=2)).outcome is Outcome.VALID
    assert verify(baking.bake_png(png(), tokens.sign(document, TOKEN_KEY, KID))).outcome is Outcome.VALID


def test_brackets_in_texts_are_no_depth() -> None:
    assert verify(shown(name="[{" * 100 + '\\"[')).outcome is Outcome.VALID


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        (shown(), ["key", "badge"]),
        (URL, ["text_at", "key", "badge"]),
        (json.dumps(_of_others()), ["key", "is_issuer"]),
        ("{}", []),
    ],
)
def test_records_are_asked_once_each_and_only_if_need_be(data: str, asked: list[str]) -> None:
    records = Records(KnownBadge(UUID_, is_revoked=False))
    verification.verify(data, records, NOW)
    assert records.asked == asked


def test_what_others_signed_is_not_canonicalized(monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.dumps(_of_others())
    monkeypatch.setattr(proofs, "verify", lambda *_: pytest.fail("costly, and for nothing"))
    assert verify(document).outcome is Outcome.NOT_OURS


def test_a_time_in_utc_or_not_is_the_same_time() -> None:
    assert verify(shown(), expires_at=datetime(2026, 1, 1, tzinfo=UTC)).outcome is Outcome.EXPIRED
