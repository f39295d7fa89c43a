"""The public page of a badge, its files, and what programs get at the same address."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from badges_plugin.distribution.open_badges import baking
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.web.models import NameShown, Publication
from tests.factories import make_user, send_passing
from tests.web.pages_world import HOST, NOBODY, as_user, earn, publish, words

FORMS = {
    "json": "application/vc+ld+json",
    "jwt": "text/plain; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
}
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def private(document: Any) -> None:
    pass


def public(document: Any) -> None:
    publish(document)


def without_evidence(document: Any) -> None:
    publish(document, evidence_shown=False)


def taken_back(document: Any) -> None:
    publish(document, taken_back_at=timezone.now())


def revoked(document: Any) -> None:
    publish(document)
    send_passing(BadgeAward.objects.get().user, minute=2, is_passing=False)


def expired(document: Any) -> None:
    publish(document)
    BadgeAward.objects.update(expires_at=timezone.now() - timedelta(days=1))


@pytest.mark.parametrize(
    ("happened", "others", "files", "own_files"),
    [
        (private, 404, 404, 200),
        (public, 200, 200, 200),
        (without_evidence, 200, 404, 200),
        (taken_back, 410, 410, 200),
        (revoked, 200, 410, 410),
        (expired, 200, 200, 200),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_who_may_see_what(
    ada: Any,
    statistics: BadgeTemplate,
    happened: Callable[[Any], None],
    others: int,
    files: int,
    own_files: int,
) -> None:
    document = earn(ada, statistics)
    happened(document)
    path = f"/badges/b/{document.uuid}/"
    for reader in (None, make_user()):
        assert as_user(reader).get(path).status_code == others
        assert as_user(reader).get(path, HTTP_ACCEPT="application/vc+ld+json").status_code == files
        assert {as_user(reader).get(f"{path}badge.{form}").status_code for form in FORMS} == {files}
    owner = as_user(ada)
    assert owner.get(path).status_code == 200
    assert {owner.get(f"{path}badge.{form}").status_code for form in FORMS} == {own_files}


def test_the_page_of_a_valid_badge(ada: Any, statistics: BadgeTemplate) -> None:
    statistics.valid_days = 365_0
    statistics.save()
    document = earn(ada, statistics)
    publish(document)
    response = as_user(None).get(f"/badges/b/{document.uuid}/")
    text, source = words(response), response.content.decode()
    for said in (
        "Statistics Awarded to Ada Lovelace Valid Checked just now, ",
        "Earned on January 1, 2026",
        "Valid until December 30, 2035",
        "What it stands for Can test a claim.",
        "What it takes Pass ",
        "What Ada Lovelace did",
        "passed on Jan. 1, 2026",
        "Print this page and you get a certificate.",
        "This certifies that Ada Lovelace has earned the badge Statistics",
    ):
        assert said in text
    url = f"https://{HOST}/badges/b/{document.uuid}/"
    assert document.url == url
    assert f'<meta property="og:url" content="{url}">' in source
    assert '<meta property="og:title" content="Statistics, awarded to Ada Lovelace">' in source
    assert f'<link rel="canonical" href="{url}">' in source
    assert f'content="https://{HOST}/badges/images/{statistics.uuid}/' in source
    assert '<meta name="robots" content="noindex">' in source
    [linkedin] = [part.partition('"')[0] for part in source.split('href="') if "linkedin.com" in part.partition('"')[0]]
    assert parse_qs(urlsplit(linkedin.replace("&amp;", "&")).query) == {
        "startTask": ["CERTIFICATION_NAME"],
        "name": ["Statistics"],
        "organizationName": ["Example University"],
        "issueYear": ["2026"],
        "issueMonth": ["1"],
        "expirationYear": ["2035"],
        "expirationMonth": ["12"],
        "certUrl": [url],
        "certId": [str(document.uuid)],
    }
    headers = {
        name: response[name] for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy")
    }
    assert headers == {
        "Content-Security-Policy": CSP,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies
    assert " style=" not in source
    assert "<style" not in source


def test_addresses_are_the_issuers_whatever_is_asked_for(ada: Any, statistics: BadgeTemplate) -> None:
    document = earn(ada, statistics)
    publish(document)
    page = as_user(None).get(f"/badges/b/{document.uuid}/", HTTP_HOST="evil.example").content.decode()
    assert "evil.example" not in page


@pytest.mark.parametrize(
    ("choice", "shown"), [(NameShown.FULL, "Ada Lovelace"), (NameShown.INITIALS, "A. L."), (NameShown.NONE, "")]
)
def test_the_name_as_chosen(ada: Any, statistics: BadgeTemplate, choice: str, shown: str) -> None:
    document = earn(ada, statistics)
    publish(document, name_shown=choice)
    response = as_user(None).get(f"/badges/b/{document.uuid}/")
    source, text = response.content.decode(), words(response)
    assert ("Ada" in source) is (choice == NameShown.FULL)
    assert (f"Awarded to {shown}" in text) is bool(shown)
    assert ("certifies that its holder has earned" in text) is not bool(shown)
    assert not [
        name for name in ("ada-of-the-lms", "ada@example.org", "Lovelace") if name in source.replace(shown or " ", "")
    ]


def test_a_revoked_badge_says_nothing_of_its_holder(ada: Any, statistics: BadgeTemplate) -> None:
    document = earn(ada, statistics)
    revoked(document)
    response = as_user(None).get(f"/badges/b/{document.uuid}/")
    source, text = response.content.decode(), words(response)
    assert "Revoked Example University took this badge back on January 1, 2026. It proves nothing any more." in text
    for hidden in ("Ada", "certif", "download", "linkedin", "dropped below", 'og:image:alt" content="Ada'):
        assert hidden not in source
    assert "Was this badge yours?" in text


def test_an_expired_badge(ada: Any, statistics: BadgeTemplate) -> None:
    document = earn(ada, statistics)
    expired(document)
    text = words(as_user(None).get(f"/badges/b/{document.uuid}/"))
    assert "Awarded to Ada Lovelace Expired Valid from January 1, 2026 until" in text
    assert "See what it takes" in text
    assert "This certifies" not in text
    assert "PNG image" in text


@pytest.mark.parametrize("form", FORMS)
def test_downloads_carry_the_signed_badge(ada: Any, statistics: BadgeTemplate, form: str) -> None:
    document = earn(ada, statistics)
    publish(document)
    response = as_user(None).get(f"/badges/b/{document.uuid}/badge.{form}")
    assert response["Content-Type"] == FORMS[form]
    assert response["Content-Disposition"] == f'attachment; filename="statistics.{form}"'
    assert (response["Access-Control-Allow-Origin"], response["X-Content-Type-Options"]) == ("*", "nosniff")
    assert "sandbox" in response["Content-Security-Policy"]
    match form:
        case "json":
            assert response.content.decode() == document.json_text
        case "jwt":
            assert response.content.decode() == document.jwt
        case _:
            assert json.loads(baking.extract(response.content) or "") == json.loads(document.json_text)


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/vc+ld+json", True),
        ("application/vc", True),
        ("application/json", True),
        ("application/ld+json, */*;q=0.1", True),
        ("application/vc+ld+json, text/html;q=0.5", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("text/html, application/json;q=0.9", False),
        ("*/*", False),
        ("", False),
        ("application/json;q=nonsense", False),
    ],
)
def test_programs_get_the_document(ada: Any, statistics: BadgeTemplate, accept: str, is_json: bool) -> None:
    document = earn(ada, statistics)
    publish(document)
    response = as_user(None).get(f"/badges/b/{document.uuid}/", HTTP_ACCEPT=accept)
    assert (response.content.decode() == document.json_text) is is_json
    assert response["Content-Type"].startswith("application/vc+ld+json" if is_json else "text/html")
    assert "Accept" in response["Vary"]


def test_a_wallet_is_given_the_badge(ada: Any, statistics: BadgeTemplate) -> None:
    document = earn(ada, statistics)
    path = f"/badges/b/{document.uuid}/wallet/"
    anybody = as_user(None)
    assert anybody.get(path, {"iuv": 1}).status_code == 404
    # The owner's page of a private badge has a link that works for a while, without a session.
    source = as_user(ada).get(f"/badges/b/{document.uuid}/").content.decode()
    [link] = [part.partition('"')[0] for part in source.split('href="') if part.startswith("https://lcw.app/request?")]
    asked = json.loads(parse_qs(urlsplit(link.replace("&amp;", "&")).query)["request"][0])
    exchange = asked["protocols"]["vcapi"].partition(HOST)[2]
    offered = anybody.get(exchange).json()["protocols"]["vcapi"]
    given = anybody.post(offered.partition(HOST)[2], "{}", content_type="application/json").json()
    assert given["verifiablePresentation"]["verifiableCredential"] == [json.loads(document.json_text)]
    assert anybody.get(exchange.replace("token=", "token=x")).status_code == 404
    publish(document)
    assert anybody.get(path).json() == {"protocols": {"vcapi": f"{document.url}wallet/"}}


def test_deletion_leaves_no_error(ada: Any, statistics: BadgeTemplate) -> None:
    document = earn(ada, statistics)
    publish(document)
    BadgeAward.objects.all().delete()
    assert not Publication.objects.exists()
    for path in (f"b/{document.uuid}/", f"b/{document.uuid}/badge.png", f"b/{NOBODY}/", f"b/{document.uuid}/badge.exe"):
        response = as_user(None).get(f"/badges/{path}")
        assert response.status_code == 404
        assert "There is nothing here" in words(response)
    assert as_user(ada).get("/badges/mine/").status_code == 200


def test_texts_of_others_stay_texts(statistics: BadgeTemplate) -> None:
    hostile = "</script><img src=x onerror=alert(1)>\u202e"
    BadgeTemplate.objects.update(name=hostile[:200], description=f"{hostile}\n\n{hostile}")
    learner = make_user(full_name=f"Eve {hostile}")
    document = earn(learner, statistics)
    publish(document)
    for client, path in (
        (None, f"b/{document.uuid}/"),
        (learner, "mine/"),
        (None, "catalogue/"),
        (learner, f"mine/{document.uuid}/"),
    ):
        source = as_user(client).get(f"/badges/{path}").content.decode()
        assert "<img src=x" not in source
        assert "&lt;img src=x" in source


def test_only_what_had_to_be_done_is_ticked(ada: Any, statistics: BadgeTemplate) -> None:
    """Not what would take the badge away; and what Markdown needs escaped is shown as it is."""
    requirement = statistics.requirements.get()
    requirement.description = "Pass *Statistics* [advanced]"
    requirement.save()
    statistics.valid_days = 3650
    statistics.save()
    document = earn(ada, statistics)
    publish(document)
    page = as_user(None).get(f"/badges/b/{document.uuid}/").content.decode()
    section = page[page.index("What it takes") :].partition("</section>")[0]
    steps, conditions = section[: section.index("</ul>")], section[section.index("</ul>") :]
    assert (steps.count("<svg"), conditions.count("<svg")) == (1, 0)
    assert "Pass *Statistics* [advanced]" in steps
    assert "Lost when" in conditions
    assert "Valid for 10 years" in conditions
