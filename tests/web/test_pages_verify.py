"""*Verify a badge*: six answers in plain words, whatever somebody gives; and what is private stays so."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.utils import timezone

from badges_plugin.distribution.open_badges.api import SignedDocument
from badges_plugin.distribution.open_badges.models import SignedBadge
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.web.pages import verifying
from tests.factories import send_passing
from tests.limits import Lower
from tests.web.pages_world import HOST, NOBODY, as_user, earn, publish, words

VERIFY = "/badges/verify/"
FOREIGN = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential", "OpenBadgeCredential"],
    "issuer": {"id": "did:web:badges.another.example:issuers:1", "name": "<b>Another</b>"},
    "credentialSubject": {"achievement": {"name": "Other"}},
    "proof": {"type": "DataIntegrityProof"},
}


def valid(document: SignedDocument) -> str:
    publish(document)
    return document.json_text


def unpublished(document: SignedDocument) -> str:
    return document.json_text


def revoked(document: SignedDocument) -> str:
    publish(document)
    send_passing(BadgeAward.objects.get().user, minute=2, is_passing=False)
    return document.json_text  # the worker has not told the world yet


def expired(document: SignedDocument) -> str:
    SignedBadge.objects.update(expires_at=timezone.now() - timedelta(days=1))
    return document.json_text


def not_ours(document: SignedDocument) -> str:
    return json.dumps(FOREIGN)


def changed(document: SignedDocument) -> str:
    return document.json_text.replace("Statistics", "Brain Surgery")


def nonsense(document: SignedDocument) -> str:
    return "I am a badge, honestly."


@pytest.mark.parametrize(
    ("given", "heading", "says"),
    [
        (valid, "This badge is valid", ["Badge Statistics Issued by Example University Earned on January 1, 2026"]),
        (unpublished, "This badge is valid", ["Badge Statistics"]),
        (revoked, "This badge was revoked", ["Example University issued it and took it back on January 1, 2026."]),
        (expired, "This badge has expired", ["Ask its holder for a newer one."]),
        (not_ours, "This badge was not issued here", ["It names this issuer: badges.another.example."]),
        (changed, "This badge was changed after it was signed", ["Do not accept it."]),
        (nonsense, "We cannot read this as a badge", ["Screenshots and photos lose it"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_the_answers(
    ada: Any, statistics: BadgeTemplate, given: Callable[[Any], str], heading: str, says: list[str]
) -> None:
    document = earn(ada, statistics)
    text = given(document)
    client = as_user(None)
    by_text = client.post(VERIFY, {"text": text, "link": "", "file": ""})
    by_file = client.post(VERIFY, {"file": SimpleUploadedFile("badge.json", text.encode())})
    for response in (by_text, by_file):
        assert response.status_code == 200
        assert [each for each in [heading, *says, "Checked on"] if each not in words(response)] == []
        assert not response.cookies
        assert "Ada" not in response.content.decode()
    is_linked = f'href="{document.url}"' in by_text.content.decode()
    assert is_linked is (given is valid), "its page is linked where it is public"


@pytest.mark.parametrize("form", ["jwt", "png", "svg", "json"])
def test_takes_every_download(ada: Any, statistics: BadgeTemplate, form: str) -> None:
    document = earn(ada, statistics)
    publish(document)
    client = as_user(None)
    file = client.get(f"/badges/b/{document.uuid}/badge.{form}").content
    response = client.post(VERIFY, {"file": SimpleUploadedFile(f"badge.{form}", file)})
    assert "This badge is valid" in words(response)


def test_a_link_tells_only_what_is_public(ada: Any, statistics: BadgeTemplate) -> None:
    document = earn(ada, statistics)
    client = as_user(None)

    def answers() -> set[str]:
        found = [
            client.post(VERIFY, {"link": document.url}),
            client.post(VERIFY, {"text": f" {document.url}\n"}),
            client.get(VERIFY, {"link": document.url}),
        ]
        return {words(response).partition("Verify a badge")[2].partition("It ")[0] for response in found}

    [hidden] = answers()
    assert "There is no public badge at this link" in hidden
    row = publish(document)
    [shown] = answers()
    assert "This badge is valid" in shown
    row.taken_back_at = timezone.now()
    row.save()
    [gone] = answers()
    assert gone.partition("Checked")[0] == hidden.partition("Checked")[0]
    for other in (f"https://{HOST}/badges/b/{NOBODY}/", "https://evil.example/badge", "http://", "https://x" * 400):
        assert "There is no public badge at this link" in words(client.get(VERIFY, {"link": other}))


HOSTILE = [
    b"\x00" * 100,
    b"\xff\xfe\x00\xd8",
    b"{" * 50_000,
    b"[]",
    b"null",
    b'{"type": "VerifiableCredential", "issuer": 7, "credentialSubject": []}',
    b'{"type": ["VerifiableCredential"], "issuer": "<script>alert(1)</script>"}',
    b'{"type": ["VerifiableCredential"], "issuer": "did:web:half-a-character-\\ud800"}',
    b'{"type": ["Assertion"], "\\udfff": 1, "issuer": "did:web:another.example"}',
    b"a.b.c",
    b"\x89PNG\r\n\x1a\n" + b"\x00" * 30,
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
    "\U0001f600".encode() * 1000,
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_nonsense_gets_a_plain_answer(site: Any, data: bytes) -> None:
    client = as_user(None)
    for given in ({"file": SimpleUploadedFile("x", data)}, {"text": data.decode(errors="replace")}):
        response = client.post(VERIFY, given)
        assert response.status_code in {200, 400}
        assert "<script>alert" not in response.content.decode()
        assert "root:" not in response.content.decode()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/x-www-form-urlencoded", 400),
        (b"text=", "application/x-www-form-urlencoded", 400),
        (b"text=%ff%00", "application/x-www-form-urlencoded", 200),
        (b"--x\r\nnot a part", "multipart/form-data; boundary=x", 400),
        (b"nothing", "multipart/form-data", 400),
        (b"{}", "application/json", 400),
        (b"&".join(b"a=1" for _ in range(2000)), "application/x-www-form-urlencoded", 400),
    ],
)
def test_a_broken_form_gets_a_plain_answer(site: Any, body: bytes, content_type: str, status: int) -> None:
    response = as_user(None).post(VERIFY, body, content_type=content_type)
    assert response.status_code == status
    if status == 400:
        assert 'role="alert"' in response.content.decode()


def test_too_much_is_refused_before_it_is_read(site: Any, lower: Lower) -> None:
    lower(verifying, MAX_BYTES=1000, _FORM_BYTES=1000)
    client = as_user(None)
    assert client.post(VERIFY, {"text": "x" * 3000}).status_code == 413
    assert client.post(VERIFY, {"file": SimpleUploadedFile("x", b"x" * 1200)}).status_code == 413
    request = RequestFactory().post(VERIFY, b"x" * 9000, content_type="text/plain")
    request.user = AnonymousUser()

    class Unread:
        def read(self, *args: object) -> bytes:
            raise AssertionError("the body was read")

    request._stream = Unread()  # type: ignore[assignment]
    assert verifying.verify_badge(request).status_code == 413


def test_needs_no_token_and_no_account(site: Any) -> None:
    response = as_user(None).get(VERIFY)
    assert response.status_code == 200
    assert "csrf" not in response.content.decode()
    assert not response.cookies


def test_who_asks_too_often_is_told_so(site: Any, settings: Any) -> None:
    settings.BADGES_CONFIG = {"pages": {"verify_rate": "2/h", "public_rate": "3/h"}}
    client = as_user(None)
    statuses = [client.post(VERIFY, {"text": "x"}).status_code, client.get(VERIFY, {"link": "x"}).status_code]
    statuses.append(client.post(VERIFY, {"text": "x"}).status_code)
    assert statuses == [200, 200, 429]
    refused = client.post(VERIFY, {"text": "x"})
    assert "Many requests have come from your network" in words(refused)
    assert 1 <= int(refused["Retry-After"]) <= 3600
    assert "default-src 'none'" in refused["Content-Security-Policy"]
    assert client.get(VERIFY).status_code == 200, "the form itself is not limited"
    # Behind a proxy, each visitor counts alone; what a visitor makes up counts for nothing.
    for address, allowed in (
        ("198.51.100.7", 200),
        ("6.6.6.6, 198.51.100.8", 200),
        ("198.51.100.7", 200),
        ("198.51.100.7", 429),
    ):
        found = client.post(VERIFY, {"text": "x"}, HTTP_X_FORWARDED_FOR=address)
        assert found.status_code == allowed
    spoofed = [
        client.post(VERIFY, {"text": "x"}, HTTP_X_FORWARDED_FOR=f"1.2.3.{n}", REMOTE_ADDR="9.9.9.9").status_code
        for n in range(3)
    ]
    assert spoofed == [200, 200, 429]
    pages = [client.get(f"/badges/b/{NOBODY}/").status_code for _ in range(4)]
    assert pages == [404, 404, 404, 429]
