"""A collection: what a learner shows together, and how they set it up."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from badges_plugin.host import User
from badges_plugin.models import BadgeTemplate
from badges_plugin.web.models import Collection, NameShown, Publication
from tests.factories import make_user, send_passing
from tests.web.pages_world import HOST, NOBODY, OTHER_COURSE, as_user, award_of, earn, publish, words

MINE = "/badges/mine/collection/"
SHARED = {"who": "link", "name": "full", "title": "Data and me", "introduction": "Three years.\n\nAnd more."}


def test_is_set_up_shown_and_taken_back(ada: Any, statistics: BadgeTemplate) -> None:
    publish(earn(ada, statistics))
    client = as_user(ada)
    assert client.get(MINE).status_code == 200
    assert not Collection.objects.exists(), "looking makes none"
    assert "Anyone with the link can see the collection" in words(client.post(MINE, SHARED, follow=True))
    uuid = Collection.objects.get().uuid
    response = as_user(None).get(f"/badges/c/{uuid}/")
    text, source = words(response), response.content.decode()
    assert "Collection Data and me Three years. And more. Ada Lovelace Statistics Example University Earned on" in text
    assert f'<meta property="og:url" content="https://{HOST}/badges/c/{uuid}/">' in source
    assert "default-src 'none'" in response["Content-Security-Policy"]

    client.post(MINE, {**SHARED, "who": "me"})
    assert as_user(None).get(f"/badges/c/{uuid}/").status_code == 410
    assert "Only you can see this page." in words(client.get(f"/badges/c/{uuid}/"))
    client.post(MINE, SHARED)
    assert as_user(None).get(f"/badges/c/{uuid}/").status_code == 200, "the link stays the same"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"title": "x" * 101}, 400),
        ({"introduction": "x" * 501}, 400),
        ({"who": ""}, 400),
        ({"name": "x"}, 400),
        ({}, 303),
    ],
)
def test_refuses_what_does_not_fit(site: Any, ada: Any, changes: dict[str, str], status: int) -> None:
    assert as_user(ada).post(MINE, {**SHARED, **changes}).status_code == status
    assert Collection.objects.exists() is (status == 303)


def test_holds_only_what_is_public_and_valid(ada: Any, statistics: BadgeTemplate, reasoning: BadgeTemplate) -> None:
    found = Collection.objects.create(user=ada, name_shown=NameShown.INITIALS, published_at=timezone.now())
    bob = make_user(full_name="Bob")
    publish(earn(bob, statistics))
    path = f"/badges/c/{found.uuid}/"
    first = publish(earn(ada, statistics))
    send_passing(ada, minute=2, course=OTHER_COURSE)

    def names() -> list[str]:
        source = as_user(None).get(path).content.decode()
        return [part.partition("<bdi>")[2].partition("</bdi>")[0] for part in source.split("<h2><a ")[1:]]

    assert names() == ["Statistics"], "what is not signed or not published is left out, and so is Bob's"
    assert "Badges of A. L." in words(as_user(None).get(path))
    Publication.objects.filter(pk=first.pk).update(in_collection=False)
    assert names() == []
    Publication.objects.filter(pk=first.pk).update(in_collection=True, taken_back_at=timezone.now())
    assert names() == []
    Publication.objects.filter(pk=first.pk).update(taken_back_at=None)
    send_passing(ada, minute=3, is_passing=False)
    assert award_of(ada, statistics).revoked_at is not None
    assert names() == []
    assert "There is no badge in this collection at the moment." in words(as_user(None).get(path))


def test_who_may_see_it(site: Any, ada: Any) -> None:
    never = Collection.objects.create(user=ada, title="Mine")
    for uuid in (never.uuid, NOBODY):
        for reader in (None, make_user()):
            response = as_user(reader).get(f"/badges/c/{uuid}/")
            assert response.status_code == 404
            assert "Mine" not in response.content.decode()
    assert as_user(ada).get(f"/badges/c/{never.uuid}/").status_code == 200
    assert as_user(None).get(MINE).status_code == 302


def test_who_was_just_retired_shows_nothing_more(ada: Any, statistics: BadgeTemplate) -> None:
    """The host retires with a query, and the worker erases some minutes later."""
    document = earn(ada, statistics)
    publish(document, in_collection=True)
    as_user(ada).post(MINE, SHARED)
    shown = [f"/badges/b/{document.uuid}/", f"/badges/c/{Collection.objects.get().uuid}/"]
    shown.append(f"/api/badges/v1/badges/{document.uuid}/")
    assert {as_user(None).get(path).status_code for path in shown} == {200}
    User.objects.filter(pk=ada.pk).update(email="x@retired.invalid")
    assert {as_user(None).get(path).status_code for path in shown} == {410}
    asked = as_user(None).get("/badges/verify/", {"link": document.url})
    assert "There is no public badge at this link" in words(asked)


def test_staff_hide_one_and_say_why(admin_client: Any, ada: Any, statistics: BadgeTemplate) -> None:
    publish(earn(ada, statistics))
    as_user(ada).post(MINE, SHARED)
    found = Collection.objects.get()
    path, page = f"/badges/c/{found.uuid}/", f"/admin/badges_web/collection/{found.pk}/change/"
    assert "Data and me" in words(admin_client.get("/admin/badges_web/collection/?q=data"))
    assert "Data and me" in words(admin_client.get(page))
    admin_client.post(page, {"is_hidden": "on", "hidden_reason": "The title offends.", "title": "By staff"})

    found.refresh_from_db()
    assert (found.title, found.is_hidden, found.is_published) == ("Data and me", True, True)
    gone = as_user(None).get(path)
    assert (gone.status_code, "offends" in words(gone)) == (410, False)
    assert "Only you can see this page." in words(as_user(ada).get(path))
    assert "Their reason: The title offends." in words(as_user(ada).get(MINE))
    assert "Saved. Anyone" not in words(as_user(ada).post(MINE, SHARED, follow=True))
    assert as_user(None).get(path).status_code == 410, "saving again does not show it"

    admin_client.post(page, {"hidden_reason": ""})
    assert as_user(None).get(path).status_code == 200
