"""Embedded proofs: what they hold for, and what cannot get one."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyld import jsonld

from badges_plugin.distribution.open_badges import building, canonical, proofs, status_bits
from badges_plugin.distribution.open_badges.data import Document, Evidence, StatusEntry, UnsignableBadge
from tests.open_badges.samples import EARNED, ISSUER_ID, KEY, METHOD_ID, SIGNED, facts, signed


def changed(document: Document, path: str, value: Any) -> Document:
    """Return a copy in which what ``path`` leads to ("a.b.0") is ``value``."""
    found = copy.deepcopy(document)
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    node: Any = found
    for step in steps:
        node = node[step]
    node[last] = value
    return found


def test_proof_names_how_it_was_made() -> None:
    proof = signed()["proof"]
    assert proof.pop("proofValue").startswith("z")
    assert proof == {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "proofPurpose": "assertionMethod",
        "created": "2026-03-01T09:31:00Z",
        "verificationMethod": METHOD_ID,
    }


def test_proof_holds_for_its_document_and_key_alone() -> None:
    document = signed()
    assert proofs.verify(document, KEY.public_key())
    assert proofs.method_of(document) == METHOD_ID
    assert not proofs.verify(document, Ed25519PrivateKey.generate().public_key())


def test_signing_leaves_the_document_alone_and_replaces_a_proof() -> None:
    unsigned = building.unsigned_document(facts())
    before = copy.deepcopy(unsigned)
    once = proofs.sign(unsigned, KEY, METHOD_ID, SIGNED)
    assert unsigned == before
    assert proofs.sign(once, KEY, METHOD_ID, SIGNED) == once


def test_status_list_can_be_signed() -> None:
    unsigned = building.status_list("https://badges.example.org/status/1/", ISSUER_ID, status_bits.empty(), EARNED)
    assert proofs.verify(proofs.sign(unsigned, KEY, METHOD_ID, SIGNED), KEY.public_key())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "Data Hero"),
        ("issuer.name", "Other University"),
        ("credentialSubject.id", "urn:uuid:00000000-0000-4000-8000-000000000000"),
        ("credentialSubject.achievement.criteria.narrative", "Nothing."),
        ("credentialSubject.achievement.name", ["Data hero", "King"]),
        ("validUntil", "2099-01-01T00:00:00Z"),
        ("@context", ["https://www.w3.org/ns/credentials/v2"]),
        ("@context.2", {"name": "https://example.org/other"}),
        ("@context.2", "https://example.org/context.json"),
        ("proof.created", "2026-03-01T09:31:01Z"),
        ("proof.verificationMethod", f"{ISSUER_ID}#key-2"),
        ("proof.proofPurpose", "authentication"),
        ("proof.cryptosuite", "eddsa-jcs-2022"),
        ("proof.proofValue", "z" + "1" * 64),
        ("proof.proofValue", "not base58"),
        ("proof.proofValue", 7),
        ("proof.domain", "example.org"),
        ("proof", []),
        ("proof", None),
        # What PyLD would drop, so that the signature would still hold.
        ("unknown", "says nothing to anybody"),
        ("1 2:3", "a property that is no IRI"),
        ("@reverse", {}),
        ("_:blank", "a blank property"),
        ("evidence", [{"id": "relative", "type": ["Evidence"], "narrative": "Not signed."}]),
        ("evidence", [{"id": "1 2:3", "type": ["Evidence"], "narrative": "Not signed."}]),
        ("evidence", [{"id": "https://example.org/a b", "type": ["Evidence"]}]),
        ("evidence", [{"type": ["Unknown"], "narrative": "Not signed."}]),
        ("evidence", None),
        ("name", None),
        ("evidence", []),
        ("credentialSubject.achievement.tag", [[]]),
        ("type", [["VerifiableCredential"], ["OpenBadgeCredential"]]),
    ],
)
def test_proof_does_not_hold_after_a_change(path: str, value: Any) -> None:
    assert not proofs.verify(changed(signed(), path, value), KEY.public_key())


def test_the_order_of_properties_means_nothing() -> None:
    document = signed()
    assert proofs.verify(dict(reversed(document.items())), KEY.public_key())
    assert proofs.verify({**document, "proof": [document["proof"]]}, KEY.public_key())


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("accomplishment", "x", "no context defines 'accomplishment'"),
        ("credentialSubject.achievement.headline", "x", "no context defines 'headline'"),
        ("issuer.type", ["Company"], "no context defines 'Company'"),
        ("credentialSchema.0.type", "JsonSchemaValidator", "no context defines 'JsonSchemaValidator'"),
        ("id", "badges/b/1/", "a relative IRI: 'badges/b/1/'"),
        ("credentialSubject.achievement.id", "https://example.org/a b", "not an absolute, clean IRI"),
        ("evidence", None, "a null"),
        ("@context.2", "https://example.org/context.json", "others than the shipped contexts"),
    ],
)
def test_what_others_would_not_verify_is_not_signed(path: str, value: Any, reason: str) -> None:
    document = changed(building.unsigned_document(facts()), path, value)
    with pytest.raises(UnsignableBadge, match=re.escape(reason)):
        proofs.sign(document, KEY, METHOD_ID, SIGNED)


def test_the_third_context_is_needed() -> None:
    document = building.unsigned_document(facts())
    document["@context"] = document["@context"][:2]
    with pytest.raises(UnsignableBadge, match="1EdTechJsonSchemaValidator2019"):
        proofs.sign(document, KEY, METHOD_ID, SIGNED)


def test_the_guard_changes_nothing_about_what_is_signed() -> None:
    evidence = (Evidence("", '<https://undefined.invalid/#name> "', "a"), Evidence("urn:x:1", "b"))
    document = building.unsigned_document(facts(evidence=evidence, status=StatusEntry("https://example.org/s/", 5)))
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": canonical._load}
    assert canonical.to_nquads(document).decode() == jsonld.normalize(document, options)


def test_nothing_but_the_shipped_contexts_is_loaded() -> None:
    with pytest.raises(canonical.NotCanonical, match="not shipped"):
        canonical._load("https://www.w3.org/2018/credentials/v1")


def _alike(count: int) -> list[Document]:
    return [{"type": ["Result"], "value": "1"} for _ in range(count)]


@pytest.mark.parametrize(
    "poison",
    [
        # Equal nodes below a node without an id: the algorithm tries them in every order.
        {"credentialSubject": {"type": ["AchievementSubject"], "result": _alike(12)}},
        # Nodes without an id that hang together.
        {"evidence": [{"id": f"_:b{number}", "type": ["Evidence"]} for number in range(9)]},
        {"evidence": [{"type": ["Evidence"], "name": str(number)} for number in range(canonical.MAX_VALUES)]},
    ],
)
def test_a_document_made_to_take_long_is_refused_at_once(poison: Document) -> None:
    assert not proofs.verify({**signed(), **poison}, KEY.public_key())
    with pytest.raises(canonical.NotCanonical):
        canonical.to_nquads({"@context": list(canonical.URLS), **poison})
