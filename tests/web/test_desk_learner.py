"""The page of a learner, and how staff find one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badges_plugin import api, events
from badges_plugin.consumers.storing import store_in_process
from badges_plugin.data import Deferral
from badges_plugin.exceptions import DeferredEvent
from badges_plugin.models import BadgeAward, BadgeTemplate, FailedEvent
from tests.core.admin_pages import url
from tests.factories import (
    COURSE,
    PASSING,
    make_template,
    make_user,
    metadata,
    passing_data,
    requires,
    requires_course,
    send_passing,
    staff_who_may,
    user_data,
)  # fmt: skip
from tests.limits import Lower
from tests.web.pages_world import OTHER_COURSE, as_user, award_of, words

pytestmark = pytest.mark.django_db
MAY_SEE = ("view_badgeprogress", "view_badgeaward", "view_badgetemplate")


@pytest.fixture
def client(site: Any) -> Client:
    return as_user(make_user(username="registrar", is_staff=True, is_superuser=True))


def page_of(client: Client, user: Any, query: str = "") -> str:
    response = client.get(reverse("badges_web:desk_learner", args=[user.pk]) + query)
    assert response.status_code == 200
    return words(response)


def fail_to_apply(user: Any, *, cause: Deferral | None = None, **changes: Any) -> None:
    """Store an event about somebody as the consumers do when it cannot be applied."""
    data = {"course_passing_status": passing_data(user_data(user, **changes))}
    error = DeferredEvent("it was so", cause=cause or Deferral.ENDLESS_CHAIN)
    store_in_process(events.get_event_type(PASSING).signal, metadata(time=timezone.now()), data, error)


def test_a_page_says_how_each_badge_stands_and_why(
    client: Client, ada: Any, statistics: BadgeTemplate, reasoning: BadgeTemplate
) -> None:
    assert "Nothing that a badge asks for has come for this learner so far." in page_of(client, ada)

    send_passing(ada, minute=1)
    page = page_of(client, ada)
    assert page.index("On the way Reasoning") < page.index("Held Statistics")
    assert "Statistics Held since Jan. 1, 2026" in page
    assert "Reasoning Nearly there, lacks one: 1 of 2" in page
    assert f"Missing: Pass {OTHER_COURSE}. Nothing that counts has come for it." in page
    assert f"Passed {COURSE}. Counts." in page

    send_passing(ada, is_passing=False, minute=2)
    page = page_of(client, ada)
    assert "Statistics Revoked, can be earned again" in page
    assert f"Lost on Jan. 1, 2026: The grade in the course {COURSE} dropped below passing." in page
    assert f"Failed {COURSE}. Does not count until it is done again." in page


def revoke(award: BadgeAward) -> None:
    api.revoke_award(award, reason="Wrong course chosen.", by=make_user(full_name="M. Ortiz"))


def fail(award: BadgeAward) -> None:
    send_passing(award.user, is_passing=False, minute=2)


def expire(award: BadgeAward) -> None:
    BadgeAward.objects.filter(pk=award.pk).update(expires_at=timezone.now() - timedelta(days=1))


def switch_off(award: BadgeAward) -> None:
    fail(award)
    api.deactivate_template(award.template)


def test_what_was_given_by_mistake_says_so(client: Client, ada: Any, statistics: BadgeTemplate) -> None:
    award = api.award_by_hand(statistics, ada, reason="Spring school")
    assert award is not None
    api.undo_award_by_hand(award, reason="Wrong list")
    page = page_of(client, ada)
    assert "Statistics Given by mistake and taken back" in page
    assert "Wrong list" in page


@pytest.mark.parametrize(
    ("end", "once_only", "told"),
    [
        (revoke, False, "Revoked, stays revoked"),
        (revoke, False, ": “Wrong course chosen.” It stays revoked: what was done for it is kept"),
        (fail, False, "It can be earned again."),
        (fail, True, "It stays so: this badge can be earned only once."),
        (fail, True, "Revoked, stays revoked"),
        (expire, False, "It can be earned again."),
        (switch_off, False, "This badge is not active, so nobody is awarded it."),
    ],
)
def test_a_badge_that_ended_says_whether_it_can_come_back(
    client: Client, ada: Any, statistics: BadgeTemplate, end: Callable[[BadgeAward], None], once_only: bool, told: str
) -> None:
    BadgeTemplate.objects.filter(pk=statistics.pk).update(can_be_reawarded=not once_only)
    statistics.refresh_from_db()
    statistics.save()
    send_passing(ada, minute=1)
    end(award_of(ada, statistics))
    assert told in page_of(client, ada)


def test_what_came_for_an_inactive_badge_is_shown(client: Client, ada: Any, reasoning: BadgeTemplate) -> None:
    send_passing(ada)
    api.deactivate_template(reasoning)
    assert "This badge is not active, so nobody is awarded it." in page_of(client, ada)


def test_groups_say_how_many_of_what_are_missing(client: Client, ada: Any, site: Any) -> None:
    template = make_template(site=site, name="Electives", icon="")
    for number in range(3):
        requires_course(template, f"course-v1:Demo+Elective{number}+1", group="any")
    template.groups.update(needed=2)
    template.save()
    send_passing(ada, "course-v1:Demo+Elective0+1")
    page = page_of(client, ada)
    assert "Electives Nearly there, lacks one: 1 of 2" in page
    assert "Missing, 1 of these: Pass course-v1:Demo+Elective1+1" in page


def test_all_accounts_of_a_person_are_one_learner(client: Client, ada: Any, statistics: BadgeTemplate) -> None:
    send_passing(ada)
    renamed = make_user(username="ada.byron", lms_user_id=ada.lms_user_id, full_name="Ada Byron")
    page = page_of(client, renamed)
    assert "also has these accounts here, whose badges are shown, too: ada-of-the-lms" in page
    assert "Statistics Held since" in page


def test_an_erased_learner_has_no_name(client: Client, ada: Any, statistics: BadgeTemplate) -> None:
    send_passing(ada)
    ada.username = "retired__user_0123456789"
    ada.save()
    page = page_of(client, ada)
    assert "This learner was erased" in page
    assert "Lovelace" not in page
    assert "ada@example.org" not in page


def test_failed_events_are_shown_with_their_learner(
    client: Client, ada: Any, statistics: BadgeTemplate, lower: Lower
) -> None:
    bob = make_user(username="bob")
    fail_to_apply(ada)
    fail_to_apply(bob)
    fail_to_apply(None, id=0, username="ADA-of-the-LMS")
    fail_to_apply(None, id=555, username="ada-of-the-lms", cause=Deferral.NAME_TAKEN)
    page = page_of(client, ada)
    assert page.count(f"Passed {COURSE} Failed: needs you badges that depend on one another") == 2
    assert "No failed event is about this learner." in page_of(client, make_user())
    lower("badges_plugin.reading.failures", LOOKED_AT=1)
    assert "Only the newest one was looked through." in page_of(client, ada)
    FailedEvent.objects.update(state=FailedEvent.State.DISMISSED)
    assert "No failed event is about this learner." in page_of(client, ada)


def test_failed_events_are_for_those_who_may_see_them(site: Any, ada: Any) -> None:
    fail_to_apply(ada)
    client = as_user(staff_who_may(*MAY_SEE))
    assert "What could not be used" not in page_of(client, ada)
    page = page_of(as_user(staff_who_may(*MAY_SEE, "view_failedevent")), ada)
    assert "What could not be used" in page
    assert "Open it Try it" not in page
    assert "Open it Try it" in page_of(as_user(staff_who_may(*MAY_SEE, "change_failedevent")), ada)


@pytest.mark.parametrize("name", ["desk_learners", "desk_learner", "desk_award", "desk_try"])
def test_the_pages_are_for_staff_who_may_see_learners(
    client: Client, ada: Any, statistics: BadgeTemplate, name: str
) -> None:
    send_passing(ada)
    arguments = {"desk_learner": [ada.pk], "desk_award": [award_of(ada, statistics).pk]}.get(name, [])
    address = reverse(f"badges_web:{name}", args=arguments)
    assert Client().get(address).status_code == 302
    assert as_user(ada).get(address).status_code == 302
    assert as_user(staff_who_may("view_badgeprogress")).get(address).status_code == 403
    assert as_user(staff_who_may("view_badgeaward", "view_delivery")).get(address).status_code == 403
    assert as_user(staff_who_may(*MAY_SEE)).get(address).status_code == 200
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("name", ["desk_learner", "desk_award"])
def test_nobody_has_a_page_that_is_not_there(client: Client, name: str) -> None:
    assert client.get(reverse(f"badges_web:{name}", args=[2**40])).status_code == 404


def test_names_are_text(client: Client, site: Any) -> None:
    evil = make_user(username="evil", full_name="<script>alert(1)</script>")
    template = make_template(site=site, name="<b>Bold</b>", icon="")
    requires_course(template)
    send_passing(evil)
    for address in (reverse("badges_web:desk_learner", args=[evil.pk]), reverse("badges_web:desk_learners")):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page
        assert "<b>Bold" not in page


def test_the_queries_do_not_grow_with_the_badges(client: Client, ada: Any, site: Any) -> None:
    counts: list[int] = []
    for _round in range(2):
        for _number in range(2):
            template = make_template(site=site, icon="")
            requires_course(template)
            way = make_template(site=site, icon="")
            requires_course(way)
            requires_course(way, OTHER_COURSE)
        send_passing(ada, minute=len(counts))
        page_of(client, ada)
        with CaptureQueriesContext(connection) as queries:
            page_of(client, ada)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_of_many_badges_the_first_are_shown_and_the_others_by_page(
    client: Client, ada: Any, site: Any, lower: Lower
) -> None:
    lower("badges_plugin.web.desk.parts", FIRST=1, PER_PAGE=2)
    for number in range(3):
        requires_course(make_template(site=site, name=f"Badge no. {number}", icon=""))
    send_passing(ada)
    page = page_of(client, ada)
    assert "All 3: Held" in page
    assert "Badge no. 1" not in page.partition("What came last")[0]
    page = page_of(client, ada, "?part=held")
    assert "Page 1 of 2" in page
    assert page.count("Held since") == 2
    assert "What came last" not in page
    assert page_of(client, ada, "?part=held&page=2").count("Held since") == 1
    assert page_of(client, ada, "?part=nonsense&page=x").count("Held since") == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lovelace", {"ada"}),
        ("  ada@EXAMPLE.org ", {"ada"}),
        ("example.org", {"ada", "bob"}),
        ("bob", {"bob"}),
        ("nobody@example.org", set()),
        ("ada\0", {"ada"}),
        ("%", set()),
    ],
)
@pytest.mark.parametrize("is_large", [False, True])
def test_learners_are_found(site: Any, lower: Lower, text: str, found: set[str], is_large: bool) -> None:
    ada = make_user(username="ada", email="ada@example.org", full_name="Ada Lovelace")
    bob = make_user(username="bob", email="bob@example.org", full_name="Bob Marsh")
    # Without an address, so that it is not found itself.
    client = as_user(make_user(username="registrar", email="", is_staff=True, is_superuser=True))
    if is_large:
        lower("badges_plugin.admin.large", LARGE=1)
        found = found if text not in ("lovelace", "example.org") else set()
    pages = {reverse("badges_web:desk_learner", args=[user.pk]): user.username for user in (ada, bob)}
    response = client.get(reverse("badges_web:desk_learners"), {"q": text})
    if len(found) == 1:
        assert {pages[response.headers["Location"]]} == found
        return
    told = response.content.decode()
    assert {name for address, name in pages.items() if address in told} == found
    assert ("Nobody here has this name or address." in told) is (not found)


def test_the_search_begins_with_those_who_began_a_badge_last(
    client: Client, ada: Any, statistics: BadgeTemplate
) -> None:
    make_user(username="idle")
    send_passing(ada)
    page = words(client.get(reverse("badges_web:desk_learners")))
    assert "Ada Lovelace ada-of-the-lms ada@example.org 1 held" in page
    assert "idle" not in page


def test_the_admin_leads_to_the_page(client: Client, ada: Any, statistics: BadgeTemplate) -> None:
    send_passing(ada)
    address = reverse("badges_web:desk_learner", args=[ada.pk])
    award = award_of(ada, statistics)
    for page in (
        url("badgeaward", "change", award.pk),
        url("badgeprogress", "change", award.progress_id),
        url("user", "change", ada.pk, app="core"),
    ):
        assert f'href="{address}"' in client.get(page).content.decode(), page
    story = reverse("badges_web:desk_award", args=[award.pk])
    assert f'href="{story}"' in client.get(url("badgeaward", "change", award.pk)).content.decode()
    account = as_user(staff_who_may("view_user")).get(url("user", "change", ada.pk, app="core"))
    assert address not in account.content.decode()


def test_each_kind_of_event_has_words(client: Client, ada: Any, site: Any) -> None:
    template = make_template(site=site, name="Scholar", icon="")
    certificate = "org.openedx.learning.certificate.created.v1"
    requires(template, ("course.course_key", "eq", COURSE), event_type=certificate)
    requires(template, ("is_passing", "eq", "true"), count=2, counted_by="course.course_key")
    send_passing(ada, OTHER_COURSE)
    page = page_of(client, ada)
    assert f"Passed {OTHER_COURSE}. Counts." in page
    assert f"Missing: Earn the certificate of {COURSE}. Nothing that counts has come for it." in page
    assert f"Missing: Pass 2 different courses. 1 of 2 courses; last event: {OTHER_COURSE}: passed on" in page


def test_what_can_be_done_stands_at_each_badge_and_leads_back(
    client: Client, ada: Any, statistics: BadgeTemplate, reasoning: BadgeTemplate, site: Any
) -> None:
    send_passing(ada)
    address = reverse("badges_web:desk_learner", args=[ada.pk])
    page = client.get(address).content.decode()
    award = award_of(ada, statistics)
    for url_of in (
        f"{url('badgeaward', 'revoke')}?id={award.pk}&amp;next=",
        f"{url('badgeprogress', 'start_again')}?id=",
        f"{reverse('badges_web:desk_give')}?badge={reasoning.pk}&amp;learner={ada.pk}",
        f"{reverse('badges_web:desk_give')}?learner={ada.pk}",
        f"{reverse('badges_web:desk_try')}?learner=ada-of-the-lms&amp;badge={reasoning.pk}",
    ):
        assert f'href="{url_of}' in page, url_of
    assert "give_back" not in page

    question = f"{url('badgeaward', 'revoke')}?id={award.pk}&next={address}"
    answer = client.post(question, {"id": award.pk, "reason": "Copied", "progress": "keep", "next": address})
    assert answer.headers.get("Location") == address
    page = client.get(address).content.decode()
    assert f"{url('badgeaward', 'give_back')}?id={award.pk}" in page

    onlooker = as_user(staff_who_may(*MAY_SEE)).get(address).content.decode()
    assert "start_again" not in onlooker
    assert "give_back" not in onlooker
    assert reverse("badges_web:desk_give") not in onlooker


def test_older_failed_events_are_counted(client: Client, ada: Any, lower: Lower) -> None:
    lower("badges_plugin.web.desk.learner", LATEST=1)
    for _ in range(3):
        fail_to_apply(ada)
    page = page_of(client, ada)
    assert page.count("Failed: needs you") == 1
    assert "2 more, which are older." in page
