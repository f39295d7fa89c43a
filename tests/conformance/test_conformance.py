"""Third-party verifiers accept every badge of ours, and none that was changed, revoked, or is out of date."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image
from pyld import jsonld

from badges_plugin.distribution.open_badges import baking, building, canonical, did_web, proofs, tokens
from badges_plugin.distribution.open_badges.data import BadgeFacts, Document
from tests.conformance import generated, judges
from tests.conformance.generated import ISSUER_ID, Dice, badge, badges
from tests.conformance.judges import SCHEMA, SIGNED_DOCUMENTS, TOKENS, Verdict
from tests.conformance.signing import ISSUER_URL, METHOD_ID, Issuer
from tests.services import ServiceMissingError

# Half a minute each on an idle machine.
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

SEED = 12
COUNT = 1_000
#: What a worker may spend on one badge: document, proof and token.
CPU_SECONDS = 0.02
#: Judges are processes of their own, and start slowly.
AT_ONCE = 2

Asking = Callable[[Mapping[str, Any], Mapping[str, Iterable[bytes]]], dict[str, list[Verdict]]]


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="module")
def ask() -> Asking:
    """Ask several judges at once. Skips, or fails in CI, where Node.js or npm is missing."""
    try:
        judges.installed()
    except ServiceMissingError as error:
        if os.environ.get("BADGES_REQUIRE_SERVICES") == "1":
            raise
        pytest.skip(str(error))

    def ask_all(network: Mapping[str, Any], cases: Mapping[str, Iterable[bytes]]) -> dict[str, list[Verdict]]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            asked = {judge: pool.submit(judges.ask, judge, network, shown) for judge, shown in cases.items()}
            return {judge: future.result() for judge, future in asked.items()}

    return ask_all


def text(document: Document) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def embedded(*documents: Document) -> dict[str, list[bytes]]:
    """Return what each judge of embedded proofs is shown."""
    return {judge: [text(document) for document in documents] for judge in SIGNED_DOCUMENTS}


def as_tokens(*documents: Document, issuer: Issuer) -> list[bytes]:
    """Return what the judge of tokens is shown."""
    return [issuer.token(document).encode() for document in documents]


def refused(verdicts: Mapping[str, list[Verdict]]) -> list[tuple[str, int, str]]:
    """Return who refused which badge, and why."""
    return [
        (judge, number, verdict.reason[:2000])
        for judge, found in verdicts.items()
        for number, verdict in enumerate(found)
        if not verdict.accepted
    ]


def accepted(verdicts: Mapping[str, list[Verdict]]) -> list[tuple[str, int]]:
    """Return who accepted which badge."""
    return [
        (judge, number) for judge, found in verdicts.items() for number, verdict in enumerate(found) if verdict.accepted
    ]


def small(**changes: Any) -> BadgeFacts:
    """Return a badge with nothing optional but ``changes``."""
    dice = Dice(random.Random(SEED), optional=False)  # noqa: S311 - repeatable, not secret
    return dataclasses.replace(badge(7, dice), **changes)


def test_badges_of_every_kind_are_accepted_by_every_judge(issuer: Issuer, ask: Asking) -> None:
    started = time.process_time()
    documents = [issuer.signed(facts) for facts in badges(COUNT, SEED)]
    tokens_ = as_tokens(*documents, issuer=issuer)
    assert (time.process_time() - started) / COUNT < CPU_SECONDS
    assert _has_every_kind(documents)
    shown = [_through_a_picture(number, text(document)) for number, document in enumerate(documents)]
    everybody = dict.fromkeys((*SIGNED_DOCUMENTS, SCHEMA), shown) | {TOKENS: tokens_}
    verdicts = ask(issuer.network(), everybody)
    assert not refused(verdicts)
    assert [len(found) for found in verdicts.values()] == [COUNT] * 4


def _has_every_kind(documents: list[Document]) -> bool:
    """Return whether each optional property stands in some of the documents, and not in others."""
    optional = {
        "": {"validUntil", "evidence", "credentialStatus"},
        "issuer": {"email", "description", "image"},
        "credentialSubject": {"identifier", "result"},
        "credentialSubject.achievement": {"image", "tag", "alignment", "inLanguage", "resultDescription"},
        "credentialSubject.achievement.criteria": {"id", "narrative"},
    }
    for path, names in optional.items():
        nodes = documents
        for step in filter(None, path.split(".")):
            nodes = [node[step] for node in nodes]
        counts = {name: sum(name in node for node in nodes) for name in names}
        assert all(100 < count < len(documents) - 100 for count in counts.values()), (path, counts)
    return True


def _through_a_picture(number: int, badge: bytes) -> bytes:
    """Return the badge as it comes out of the picture that it was baked into: PNG and SVG in turn."""
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "PNG")
    if number % 2:
        baked = baking.bake_png(file.getvalue(), badge.decode())
    else:
        baked = baking.bake_svg(b'<svg xmlns="http://www.w3.org/2000/svg"/>', badge.decode())
    found = baking.extract(baked)
    assert found is not None
    return found.encode()


def test_no_byte_can_be_changed(issuer: Issuer, ask: Asking) -> None:
    document = issuer.signed(small())
    token = issuer.token(document).encode()
    tampered = [_with_changed_byte(text(document), at) for at in range(len(text(document)))]
    shown = dict.fromkeys(SIGNED_DOCUMENTS, tampered)
    shown[TOKENS] = [_with_changed_byte(token, at) for at in range(len(token))]
    assert len(tampered) > 1_000
    assert accepted(ask(issuer.network(), shown)) == []
    # Nor does our own verification accept one.
    public_key, token_key = issuer.key.public_key(), issuer.token_key.public_key()
    assert not any(proofs.verify(found, public_key) for found in map(_read, tampered) if found)
    assert not any(tokens.verify(found.decode("latin-1"), token_key) for found in shown[TOKENS])


def _with_changed_byte(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _read(data: bytes) -> Document:
    try:
        found: Document = json.loads(data)
    except ValueError:
        return {}
    return found


def test_a_revoked_badge_is_seen_in_the_status_list_and_its_neighbors_are_not(issuer: Issuer, ask: Asking) -> None:
    entries = [dataclasses.replace(_with_status(), index=index) for index in (0, 1, 2, 131_071)]
    documents = [issuer.signed(small(status=entry)) for entry in entries]
    shown = embedded(*documents)
    for revoked in ([], [1], [0, 131_071]):
        expected = [entry.index in revoked for entry in entries]
        for found in ask(issuer.network(*revoked), shown).values():
            assert [verdict.revoked for verdict in found] == expected
            assert [verdict.accepted for verdict in found] == [not is_revoked for is_revoked in expected]


def _with_status() -> Any:
    return next(facts.status for facts in badges(9, SEED) if facts.status)


def test_a_status_list_of_somebody_else_clears_nobody(issuer: Issuer, ask: Asking) -> None:
    document = issuer.signed(small(status=_with_status()))
    network = issuer.network()
    stranger = Issuer(key=Ed25519PrivateKey.generate())
    network |= {generated.LIST_URL: stranger.network()[generated.LIST_URL]}
    shown = embedded(document)
    assert accepted(ask(network, shown)) == []


def test_an_expired_badge_is_refused(issuer: Issuer, ask: Asking) -> None:
    facts = small()
    document = issuer.signed(dataclasses.replace(facts, valid_until=facts.valid_from + timedelta(days=1)))
    everybody = embedded(document) | {TOKENS: as_tokens(document, issuer=issuer)}
    assert accepted(ask(issuer.network(), everybody)) == []


def test_badges_outlive_the_rotation_of_their_key(issuer: Issuer, ask: Asking) -> None:
    new_key, new_method = Ed25519PrivateKey.generate(), f"{ISSUER_ID}#key-2"
    unsigned = building.unsigned_document(small())
    documents = [issuer.signed(small()), proofs.sign(unsigned, new_key, new_method, small().valid_from)]
    did, network = f"{ISSUER_URL}did.json", issuer.network()
    shown = embedded(*documents)
    both = {METHOD_ID: issuer.key.public_key(), new_method: new_key.public_key()}
    assert not refused(ask(network | {did: did_web.document(ISSUER_ID, both)}, shown))
    # An old key that was compromised, and taken out.
    del both[METHOD_ID]
    verdicts = ask(network | {did: did_web.document(ISSUER_ID, both)}, shown)
    assert accepted(verdicts) == [(judge, 1) for judge in SIGNED_DOCUMENTS]


@pytest.mark.parametrize(
    "change",
    [
        {"accomplishment": "Undefined by any context."},
        {"name": "Pasted from a word processor\x0b"},
        {"@context": list(canonical.URLS[:2])},
        {"evidence": [{"id": "relative", "type": ["Evidence"]}]},
    ],
)
def test_what_we_refuse_to_sign_the_judges_refuse_too(
    change: Document, issuer: Issuer, ask: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unguarded(document: Document) -> bytes:
        options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": canonical._load}
        nquads: str = jsonld.normalize(document, options)
        return nquads.encode()

    monkeypatch.setattr(canonical, "to_nquads", unguarded)
    document = proofs.sign(building.unsigned_document(small()) | change, issuer.key, METHOD_ID, small().valid_from)
    assert proofs.verify(document, issuer.key.public_key())
    shown = embedded(document)
    assert accepted(ask(issuer.network(), shown)) == []


def test_the_schema_is_a_judge_that_refuses(issuer: Issuer, ask: Asking) -> None:
    document = issuer.signed(small())
    subject = {name: value for name, value in document["credentialSubject"].items() if name != "achievement"}
    broken: list[Document] = [{"validFrom": "today"}, {"credentialSubject": subject}, {"evidence": [{}]}]
    assert accepted(ask(issuer.network(), {SCHEMA: [text(document | change) for change in ({}, *broken)]})) == [
        (SCHEMA, 0)
    ]
