"""Publishing a badge and taking it back: private by default, never a surprise, and nothing is left of the erased."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from badges_plugin import api
from badges_plugin.models import BadgeTemplate
from badges_plugin.web.models import Collection, NameShown, Publication
from tests.factories import make_user, send_passing
from tests.web.pages_world import NOBODY, as_user, award_of, earn, publish, words

ALL = {"who": "link", "name": "full", "evidence": "1", "collection": "1"}


def seen_by_others(document: Any) -> int:
    return as_user(None).get(f"/badges/b/{document.uuid}/").status_code


def test_a_new_badge_is_private_and_the_form_says_so(ada: Any, statistics: BadgeTemplate) -> None:
    document = earn(ada, statistics)
    assert seen_by_others(document) == 404
    source = as_user(ada).get(f"/badges/mine/{document.uuid}/").content.decode()
    checked = [
        part.partition('value="')[2].partition('"')[0] for part in source.split("<input")[1:] if " checked" in part
    ]
    assert checked == ["me", "none"]
    assert "<bdi>Ada Lovelace</bdi>" in source
    assert "<bdi>A. L.</bdi>" in source


@pytest.mark.parametrize(
    ("posted", "stored"),
    [
        (ALL, ("full", True, True)),
        ({"who": "link", "name": "initials"}, ("initials", False, False)),
        ({"who": "link", "name": "none", "evidence": "1"}, ("none", True, False)),
    ],
)
def test_shows_what_was_chosen(
    ada: Any, statistics: BadgeTemplate, posted: dict[str, str], stored: tuple[str, bool, bool]
) -> None:
    document = earn(ada, statistics)
    response = as_user(ada).post(f"/badges/mine/{document.uuid}/", posted, follow=True)
    assert response.redirect_chain == [(f"/badges/mine/{document.uuid}/?saved=1", 303)]
    assert "Saved. Anyone with the link can see the badge." in words(response)
    row = Publication.objects.get()
    assert (row.name_shown, row.evidence_shown, row.in_collection) == stored
    assert seen_by_others(document) == 200


@pytest.mark.parametrize("posted", [{}, {"who": "link"}, {"who": "all", "name": "full"}, {"who": "link", "name": "x"}])
def test_refuses_half_a_choice(ada: Any, statistics: BadgeTemplate, posted: dict[str, str]) -> None:
    document = earn(ada, statistics)
    response = as_user(ada).post(f"/badges/mine/{document.uuid}/", posted)
    assert response.status_code == 400
    assert "Nothing was saved" in words(response)
    assert not Publication.objects.exists()


def test_the_switch_publishes_without_a_name_takes_back_and_remembers(ada: Any, statistics: BadgeTemplate) -> None:
    document = earn(ada, statistics)
    client, path = as_user(ada), f"/badges/mine/{document.uuid}/switch/"
    for _ in range(2):  # pressing twice is pressing once
        response = client.post(path, {"public": "1", "page": "3"})
        assert (response.status_code, response["Location"]) == (303, f"/badges/mine/?earned=3#badge-{document.uuid}")
    row = Publication.objects.get()
    assert (row.name_shown, row.evidence_shown, row.in_collection) == (NameShown.NONE, False, False)
    assert seen_by_others(document) == 200

    Publication.objects.update(name_shown=NameShown.FULL, evidence_shown=True)
    for _ in range(2):
        client.post(path, {"public": "0", "page": "<script>"})
    assert seen_by_others(document) == 410
    client.post(path, {"public": "1"})
    row = Publication.objects.get()
    assert (row.name_shown, row.evidence_shown, row.taken_back_at) == (NameShown.FULL, True, None)
    assert client.get(path).status_code == 405


def test_nobody_else_can_publish(ada: Any, statistics: BadgeTemplate) -> None:
    document = earn(ada, statistics)
    for path in (f"/badges/mine/{document.uuid}/", f"/badges/mine/{document.uuid}/switch/", f"/badges/mine/{NOBODY}/"):
        assert as_user(make_user()).post(path, {"public": "1", **ALL}).status_code == 404
        assert as_user(None).post(path, {"public": "1", **ALL}).status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    assert strict.post(f"/badges/mine/{document.uuid}/switch/", {"public": "1"}).status_code == 403
    assert not Publication.objects.exists()


def test_a_revoked_badge_can_be_taken_back_but_not_published(ada: Any, statistics: BadgeTemplate) -> None:
    document = earn(ada, statistics)
    path = f"/badges/mine/{document.uuid}/"
    client = as_user(ada)
    client.post(path, ALL)
    send_passing(ada, minute=2, is_passing=False)
    assert seen_by_others(document) == 200, "its page says that it was revoked"
    client.post(path, {**ALL, "who": "me"})
    assert seen_by_others(document) == 410
    client.post(path, ALL)
    assert seen_by_others(document) == 410
    assert "cannot be published" in words(client.get(path))


def test_who_has_no_name_is_offered_none(statistics: BadgeTemplate) -> None:
    nameless = make_user(full_name="", username="secret-user-name")
    document = earn(nameless, statistics)
    response = as_user(nameless).get(f"/badges/mine/{document.uuid}/")
    assert "Your account has no name." in words(response)
    as_user(nameless).post(f"/badges/mine/{document.uuid}/", ALL)
    assert "secret-user-name" not in as_user(None).get(f"/badges/b/{document.uuid}/").content.decode()


def test_erasure_takes_everything_back(ada: Any, statistics: BadgeTemplate) -> None:
    document = earn(ada, statistics)
    publish(document)
    collection = Collection.objects.create(
        user=ada, title="Badges of Ada", introduction="I, Ada", name_shown="full", published_at=timezone.now()
    )
    bob = make_user(full_name="Bob")
    untouched = publish(earn(bob, statistics))
    type(ada).objects.filter(pk=ada.pk).update(username="retired__user_1")
    api.sweep_retired()
    paths = (
        f"b/{document.uuid}/",
        f"b/{document.uuid}/badge.json",
        f"b/{document.uuid}/badge.png",
        f"c/{collection.uuid}/",
    )
    for path in paths:
        response = as_user(None).get(f"/badges/{path}")
        assert response.status_code == 410
        assert "Ada" not in response.content.decode()
    collection.refresh_from_db()
    assert (collection.user_id, collection.title, collection.introduction) == (None, "", "")
    row = Publication.objects.get(award=award_of(ada, statistics))
    assert (row.name_shown, row.evidence_shown, row.in_collection) == ("none", False, False)
    assert Publication.objects.get(pk=untouched.pk).is_public
    # A session that was open then changes nothing any more.
    client = as_user(ada)
    client.post(f"/badges/mine/{document.uuid}/", ALL)
    client.post("/badges/mine/collection/", {"who": "link", "name": "full", "title": "Back"})
    assert as_user(None).get(f"/badges/b/{document.uuid}/").status_code == 410
    assert not Collection.objects.filter(title="Back").exists()
