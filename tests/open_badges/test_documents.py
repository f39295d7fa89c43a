"""The public documents: what is at the addresses that signed badges name, for everybody and every script."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.sites.models import Site
from django.test import Client
from django.utils import translation

from badges_plugin.distribution.open_badges import addresses, cors
from badges_plugin.distribution.open_badges.models import IssuerProfile, SigningKey
from badges_plugin.models import BadgeTemplate
from tests.distribution.worlds import deliver
from tests.factories import make_template, send_passing
from tests.open_badges.conftest import HOST
from tests.open_badges.signed import said, signed

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": HOST})


@pytest.fixture
def badge(template: BadgeTemplate, ada: Any) -> Any:
    """What a signed badge says."""
    send_passing(ada)
    deliver()
    return said(signed()[0])


def path(url: str) -> str:
    """Return the path of an address on the site."""
    assert urlsplit(url)[:2] == ("https", HOST)
    return urlsplit(url).path


def addresses_of(badge: Any) -> dict[str, tuple[str, str, int]]:
    """Return path, media type and seconds in caches of each document that a badge leads to."""
    issuer = IssuerProfile.objects.get()
    return {
        "did": (f"/badges/open/issuers/{issuer.uuid}/did.json", "application/did+ld+json", 300),
        "profile": (path(addresses.issuer_url(issuer.base_url, issuer.uuid)), "application/ld+json", 300),
        "key": (path(addresses.key_url(issuer.base_url, issuer.uuid, 1)), "application/jwk+json", 300),
        "achievement": (path(badge["credentialSubject"]["achievement"]["id"]), "application/ld+json", 300),
        "status": (path(badge["credentialStatus"]["statusListCredential"]), "application/vc+ld+json", 30),
    }


@pytest.mark.parametrize("kind", ["did", "profile", "key", "achievement", "status"])
def test_what_is_served_and_how(client: Client, badge: Any, kind: str) -> None:
    url, media_type, seconds = addresses_of(badge)[kind]
    answer = client.get(url)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
    assert answer.headers["Cache-Control"] == f"public, max-age={seconds}"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not answer.cookies
    assert client.head(url).status_code == 200
    again = client.get(url, headers={"if-none-match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    asked = client.options(url, headers={"origin": "https://verifier.example", "access-control-request-method": "GET"})
    # Where the host answers such questions itself, it names whoever asks.
    allowed = asked.status_code, asked.headers["Access-Control-Allow-Origin"]
    assert allowed in ((204, "*"), (200, "https://verifier.example"))
    assert client.post(url).status_code == 405


def test_they_name_one_another_as_the_badge_does(client: Client, badge: Any) -> None:
    found = {kind: client.get(url).json() for kind, (url, _type, _seconds) in addresses_of(badge).items()}
    issuer_id = badge["issuer"]["id"]

    assert found["did"]["id"] == found["profile"]["id"] == found["status"]["issuer"] == issuer_id
    [method] = found["did"]["verificationMethod"]
    assert method["id"] == badge["proof"]["verificationMethod"] == found["did"]["assertionMethod"][0]
    assert (method["controller"], method["publicKeyMultibase"][:4]) == (issuer_id, "z6Mk")
    assert found["key"].keys() >= {"kty", "crv", "x", "y"}
    assert "d" not in found["key"]
    assert found["status"]["id"] == badge["credentialStatus"]["statusListCredential"]
    assert found["achievement"]["id"] == badge["credentialSubject"]["achievement"]["id"]
    assert found["achievement"]["criteria"] == badge["credentialSubject"]["achievement"]["criteria"]


def test_they_do_not_depend_on_who_reads_them(client: Client, badge: Any) -> None:
    url, _type, _seconds = addresses_of(badge)["achievement"]
    with translation.override("de"):
        in_german = client.get(url, headers={"accept-language": "de"}).content
    assert in_german == client.get(url).content


def test_after_a_move_they_name_themselves_as_they_are_asked_for(client: Client, badge: Any) -> None:
    IssuerProfile.objects.update(base_url="https://moved.example.org/")
    issuer = IssuerProfile.objects.get()
    url, _type, _seconds = (
        addresses_of(badge)["did"] if False else (f"/badges/open/issuers/{issuer.uuid}/did.json", "", 0)
    )
    assert client.get(url).json()["id"] == badge["issuer"]["id"]
    moved = Client(headers={"host": "moved.example.org"}).get(url).json()["id"]
    assert moved == f"did:web:moved.example.org:badges:open:issuers:{issuer.uuid}"
    # Whoever invents a host gets the address of today.
    assert Client(headers={"host": "evil.example.org"}).get(url).json()["id"] == moved


def test_the_achievement_stays_when_its_template_moves(client: Client, badge: Any, template: BadgeTemplate) -> None:
    BadgeTemplate.objects.filter(pk=template.pk).update(site=Site.objects.create(domain="new.example.org", name="New"))
    found = client.get(path(badge["credentialSubject"]["achievement"]["id"]))
    assert found.status_code == 200
    assert found.json()["id"] == badge["credentialSubject"]["achievement"]["id"]


@pytest.mark.parametrize(
    "url",
    [
        f"issuers/{NOBODY}/did.json",
        f"issuers/{NOBODY}/",
        f"issuers/{NOBODY}/keys/1",
        "issuers/{issuer}/keys/2",
        "issuers/{issuer}/keys/99999999999999999999999",
        f"achievements/{NOBODY}/",
        "achievements/{unsigned}/",
        f"status/{NOBODY}/",
    ],
)
def test_what_is_not_there_says_so_in_json(client: Client, badge: Any, url: str) -> None:
    unsigned = make_template().uuid
    issuer = IssuerProfile.objects.get().uuid
    answer = client.get(f"/badges/open/{url.format(issuer=issuer, unsigned=unsigned)}")
    assert (answer.status_code, json.loads(answer.content)) == (404, {"detail": "Not found."})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_nothing_of_a_private_key_is_served(client: Client, badge: Any) -> None:
    private = SigningKey.objects.get().encrypted_private
    for url, _type, _seconds in addresses_of(badge).values():
        text = client.get(url).content.decode()
        assert private not in text
        assert "encrypted" not in text


@pytest.mark.parametrize(
    ("method", "url", "is_allowed"),
    [
        ("OPTIONS", "/badges/open/status/x/", True),
        ("GET", "/badges/open/issuers/x/", True),
        ("POST", "/badges/open/issuers/x/", False),
        # Their owners are logged in.
        ("GET", "/badges/b/x/", False),
        ("GET", "/admin/badges/open/", False),
    ],
)
def test_which_requests_of_other_sites_the_host_lets_through(rf: Any, method: str, url: str, is_allowed: bool) -> None:
    assert cors.is_public(None, rf.generic(method, url)) is is_allowed
