"""The REST API and signed badges: what everybody, owners and staff are told of one that is private, public or over."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges_plugin import api
from badges_plugin.distribution.open_badges.api import SignedDocument, documents_of
from badges_plugin.distribution.open_badges.models import SignedBadge
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.web.models import NameShown, Publication
from tests.distribution.worlds import deliver
from tests.factories import send_passing, staff_who_may
from tests.open_badges.conftest import ada, site_that_signs, template
from tests.web.api_calls import client_of, get, learner, results

__all__ = ["ada", "site_that_signs", "template"]

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def _no_requests_yet() -> None:
    cache.clear()


@pytest.fixture
def document(template: BadgeTemplate, ada: Any) -> SignedDocument:
    """Ada's badge, signed and private."""
    send_passing(ada, minute=1)
    deliver()
    [found] = documents_of([BadgeAward.objects.get().pk]).values()
    return found


def publish(document: SignedDocument, **choices: Any) -> Publication:
    given = {"name_shown": NameShown.FULL, "evidence_shown": True, **choices}
    return Publication.objects.create(award_id=document.award_id, published_at=timezone.now(), **given)


def ask(document: SignedDocument, client: Client | None = None) -> Any:
    return get(client or Client(), f"badges/{document.uuid}/")


def files(document: SignedDocument) -> dict[str, str]:
    return {form: f"{document.url}badge.{form}" for form in ("json", "jwt", "png", "svg")}


def test_a_published_badge_is_told_to_everybody(document: SignedDocument, template: BadgeTemplate) -> None:
    publish(document)
    BadgeTemplate.objects.filter(pk=template.pk).update(name="Renamed", description="Rewritten")
    response = ask(document)
    told = response.json()
    assert told == {
        "uuid": str(document.uuid),
        "public_url": document.url,
        "badge": {
            "uuid": str(template.uuid),
            "name": "Pässler ✓",  # as it was signed
            "description": "For passing.",
            "image_url": told["badge"]["image_url"],
        },
        "criteria": told["criteria"],
        "state": "held",
        "name": "Ada Lovelace",
        "awarded_at": "2026-01-01T00:01:00Z",
        "expires_at": None,
        "ended_at": None,
        "issuer": told["issuer"],
        "files": files(document),
    }
    assert "Pass course-v1:Demo+Badges+1" in told["criteria"]
    assert told["issuer"]["name"] == "Badges of Example"
    assert Client().get(told["badge"]["image_url"]).status_code == 200
    assert (response["Cache-Control"], response["Access-Control-Allow-Origin"]) == ("public, no-cache", "*")


@pytest.mark.parametrize(
    ("choices", "name", "has_files"),
    [
        ({"name_shown": NameShown.INITIALS}, "A. L.", True),
        ({"name_shown": NameShown.NONE}, "", True),
        ({"evidence_shown": False}, "Ada Lovelace", False),  # the files say what the learner did
    ],
)
def test_no_more_is_told_than_the_learner_chose(
    choices: dict[str, Any], name: str, has_files: bool, document: SignedDocument
) -> None:
    publish(document, **choices)
    told = ask(document).json()
    assert (told["name"], told["files"] is not None) == (name, has_files)


def test_a_revoked_badge_has_neither_name_nor_reason_nor_files(document: SignedDocument) -> None:
    publish(document)
    api.revoke_award(BadgeAward.objects.get(), reason="Ada cheated")
    response = ask(document)
    told = response.json()
    assert (told["state"], told["name"], told["files"]) == ("revoked", "", None)
    assert told["ended_at"].endswith("Z")
    assert "Ada" not in response.content.decode()


def test_what_is_not_public_is_not_found_and_what_was_is_gone(document: SignedDocument, ada: Any) -> None:
    assert get(Client(), f"badges/{NOBODY}/").status_code == 404
    assert ask(document).status_code == 404
    assert ask(document, client_of(ada)).status_code == 404  # a public answer looks at no login
    publication = publish(document)
    assert ask(document).status_code == 200
    publication.taken_back_at = timezone.now()
    publication.save()
    taken_back = ask(document)
    SignedBadge.objects.update(erased_at=timezone.now(), document="", jwt="")
    erased = ask(document)
    for response in (taken_back, erased):
        assert (response.status_code, response.json()) == (410, {"detail": "This badge is no longer public."})
        assert (response["Cache-Control"], response["Access-Control-Allow-Origin"]) == ("private, no-store", "*")


def test_owners_have_their_files_and_staff_those_of_everybody(document: SignedDocument, ada: Any) -> None:
    owner, staff = client_of(ada), client_of(staff_who_may("view_badgeaward"))

    def told() -> list[tuple[Any, Any]]:
        both = [*results(owner, "badges/mine/"), *results(staff, "awards/")]
        return [(each["public_url"], each["files"]) for each in both]

    assert told() == [(None, files(document)), (None, None)]
    publication = publish(document)
    assert told() == [(document.url, files(document))] * 2
    publication.evidence_shown = False
    publication.save()
    assert told() == [(document.url, files(document)), (document.url, None)]
    assert owner.get(files(document)["json"]).status_code == 200
    api.revoke_award(BadgeAward.objects.get(), reason="")
    assert told() == [(document.url, None)] * 2
    SignedBadge.objects.update(erased_at=timezone.now(), document="", jwt="")
    assert told() == [(None, None)] * 2


def test_signed_and_published_badges_cost_a_fixed_number_of_queries(document: SignedDocument, ada: Any) -> None:
    publish(document)
    staff = client_of(staff_who_may("view_badgeaward"))

    def count() -> list[int]:
        counts = []
        for client, path in ((client_of(ada), "badges/mine/"), (staff, "awards/")):
            get(client, path)  # what a process looks up once
            with CaptureQueriesContext(connection) as captured:
                get(client, path)
            counts.append(len(captured))
        return counts

    few = count()
    for number in range(3):
        send_passing(learner(f"l{number}"), minute=number)
    send_passing(ada, minute=2, is_passing=False)
    send_passing(ada, minute=3)
    deliver()
    for found in documents_of(list(BadgeAward.objects.values_list("pk", flat=True))).values():
        Publication.objects.get_or_create(award_id=found.award_id, defaults={"published_at": timezone.now()})
    assert count() == few
    with CaptureQueriesContext(connection) as captured:
        ask(document)
    assert len(captured) <= 6
