"""Learners' progress and badges in the admin, and revoking by hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import OperationalError
from django.test import Client
from django.utils.html import strip_tags

from badges_plugin.host import REVOKED, User
from badges_plugin.models import BadgeAward, BadgeProgress
from badges_plugin.signals import badge_revoked
from tests.core.admin_pages import errors, staff, submit, text, url
from tests.core.conftest import Heard
from tests.factories import COURSE, make_template, make_user, needs_badge, requires_course, send_passing

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return staff(superuser=True)


def award_to(username: str) -> BadgeAward:
    template = make_template(name=f"Badge of {username}")
    course = f"course-v1:Demo+{username}+1"
    requires_course(template, course)
    send_passing(make_user(username=username), course)
    return BadgeAward.objects.get(progress__template=template)


def test_progress_shows_what_is_done_and_what_is_missing(client: Client) -> None:
    template = make_template()
    requires_course(template, group="first")
    requires_course(template, "course-v1:Demo+Either+1", group="second")
    requires_course(template, "course-v1:Demo+Or+1", group="second")
    send_passing(make_user(username="half"))
    send_passing(make_user(username="whole"))
    send_passing(User.objects.get(username="whole"), "course-v1:Demo+Or+1")

    rows = {row[0]: row for row in table(client.get(url("badgeprogress")))}
    assert rows["half"][2:4] == ["on the way", "1 of 2"]
    assert rows["whole"][2:4] == ["has it", "2 of 2"]

    progress = BadgeProgress.objects.get(user__username="half")
    page = text(client.get(url("badgeprogress", "change", progress.pk)))
    assert f"✔ Pass {COURSE} fulfilled; last event: passed on Jan. 1, 2026" in page
    assert "✘ Pass one of: course-v1:Demo+Either+1, course-v1:Demo+Or+1 0 of 1 fulfilled" in page
    assert "✘ Pass course-v1:Demo+Or+1 not fulfilled" in page
    assert str(progress.fulfillments.get().event_id) in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"ann", "bob"}),
        ("?q=ann", {"ann"}),
        ("?q=bob@example.org", {"bob"}),
        ("?q=nobody", set()),
        ("?template__id__exact={ann}", {"ann"}),
        ("?badge=held", {"ann"}),
        ("?badge=revoked", {"bob"}),
        ("?badge=never", set()),
    ],
)
def test_progress_is_searched_and_filtered(client: Client, query: str, found: set[str]) -> None:
    ann, bob = award_to("ann"), award_to("bob")
    revoke(client, bob, reason="Left")
    page = client.get(url("badgeprogress") + query.format(ann=ann.template.pk))
    assert {row[0] for row in table(page)} == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"ann", "bob"}),
        ("?state=held", {"ann"}),
        ("?state=ended", {"bob"}),
        ("?state=by_hand", {"bob"}),
        ("?state=expired", set()),
        ("?state=nonsense", {"ann", "bob"}),
        ("?expiry=never", {"ann", "bob"}),
        ("?expiry=30", set()),
        ("?q=Badge+of+bob", {"bob"}),
        ("?q=ann@example.org", {"ann"}),
        ("?progress__template__id__exact={ann}", {"ann"}),
    ],
)
def test_badges_are_searched_and_filtered(client: Client, query: str, found: set[str]) -> None:
    ann, bob = award_to("ann"), award_to("bob")
    revoke(client, bob, reason="Left")
    page = client.get(url("badgeaward") + query.format(ann=ann.template.pk))
    assert {row[0] for row in table(page)} == found


def test_a_badge_is_revoked_after_a_confirmation_with_a_reason(
    client: Client, heard: Heard, django_capture_on_commit_callbacks: Any
) -> None:
    award, other = award_to("ann"), award_to("bob")
    page = client.post(url("badgeaward"), {"action": "revoke", "_selected_action": [award.pk]}, follow=True)
    assert "Revoke “Badge of ann” of Lea Learner?" in text(page)
    assert "No other badge asks for it." in text(page)
    assert "checked" not in page.content.decode()
    assert "bob" not in text(page)
    assert not errors(page)
    assert not heard.revoked

    assert "This field is required" in text(revoke(client, award, reason=" "))
    assert "Choose whether what was done for it is forgotten or kept." in text(revoke(client, award, progress=""))
    assert not heard.revoked

    with django_capture_on_commit_callbacks(execute=True):
        page = revoke(client, award, reason="Copied the exam")
    assert "1 badge was revoked" in errors(page)
    assert heard.revoked == [award]
    assert heard.announcements[-1] == "revoked"
    award.refresh_from_db()
    assert award.revocation_reason == "Copied the exam"
    assert award.credential.status == REVOKED
    assert LogEntry.objects.get(object_id=award.pk).change_message == "Revoked: Copied the exam What was done is kept."
    assert "Copied the exam" in text(client.get(url("badgeaward")))

    assert "have already ended" in errors(revoke(client, award, reason="Again"))
    other.refresh_from_db()
    assert other.revoked_at is None


def test_every_revocation_is_in_the_log_of_the_admin_also_when_a_later_one_fails(client: Client) -> None:
    awards = [award_to(username) for username in ("ann", "bob", "cid")]

    def fail(award: BadgeAward, **kwargs: Any) -> None:
        if award == awards[-1]:
            raise OperationalError(1213, "Deadlock found")

    badge_revoked.connect(fail)
    try:
        with pytest.raises(OperationalError):
            revoke(client, *awards, reason="Copied the exam")
    finally:
        badge_revoked.disconnect(fail)
    revoked = {str(award.pk) for award in BadgeAward.objects.exclude(revoked_at=None)}
    assert revoked
    assert {entry.object_id for entry in LogEntry.objects.all()} == revoked


def revoke(client: Client, *awards: BadgeAward, reason: str = "Left", progress: str = "keep") -> Any:
    answer = {"id": [award.pk for award in awards], "reason": reason, "progress": progress}
    return client.post(url("badgeaward", "revoke"), answer, follow=True)


def test_the_page_of_a_badge_names_its_events_and_leads_to_revoking(client: Client) -> None:
    award = award_to("ann")
    page = client.get(url("badgeaward", "change", award.pk))
    assert award.events[0]["id"] in text(page)
    assert str(award.credential.uuid) in text(page)
    assert f'href="{url("badgeaward", "revoke")}?id={award.pk}">Revoke…' in page.content.decode()
    assert 'name="_save"' not in page.content.decode()


def test_several_badges_are_revoked_and_given_back(client: Client) -> None:
    awards = [award_to(username) for username in ("ann", "bob")]
    needs_badge(make_template(name="Grand prize"), awards[0].template)
    chosen = {"action": "revoke", "_selected_action": [award.pk for award in awards]}
    page = text(client.post(url("badgeaward"), chosen, follow=True))
    assert "Revoke 2 badges?" in page
    assert "ann : Badge of ann bob : Badge of bob" in page
    assert "Other badges ask for it and may be lost with it: Grand prize" in page

    revoke(client, *awards, progress="forget")
    chosen["action"] = "give_back"
    page = text(client.post(url("badgeaward"), chosen, follow=True))
    assert "Give back 2 badges?" in page
    assert "ann : Badge of ann (Left)" in page
    answer = {"id": [award.pk for award in awards], "reason": "Wrong list"}
    done = client.post(url("badgeaward", "give_back"), answer, follow=True)
    assert "2 badges were given back." in errors(done)
    assert BadgeAward.objects.filter(revoked_at=None).count() == 2
    assert LogEntry.objects.filter(change_message="Given back: Wrong list").count() == 4
    assert "Nothing to give back" in errors(client.post(url("badgeaward", "give_back"), answer, follow=True))


def test_a_progress_page_says_why_and_leads_on(client: Client) -> None:
    award = award_to("ann")
    address = url("badgeprogress", "change", award.progress_id)
    assert "Start again" not in text(client.get(address))

    revoke(client, award, reason="Copied the exam")
    page = text(client.get(address))
    assert f"Revoked by {staff_name()} on " in page
    assert ": “Copied the exam” It stays revoked: what was done for it is kept" in page
    assert "Give back… Start again…" in page

    question = text(client.get(url("badgeprogress", "start_again"), {"id": award.progress_id}))
    assert "Let Lea Learner start again with “Badge of ann”?" in question
    assert "What Lea Learner has done for this badge so far (1 of 1) will not count any more." in question
    answer = {"id": award.progress_id, "reason": "Second chance"}
    done = client.post(url("badgeprogress", "start_again"), answer, follow=True)
    assert "1 learner starts again." in errors(done)
    page = text(done)
    assert "“Second chance” Only what came later counts; by that the badge can be earned again." in page
    assert "0 of 1" in page

    question = text(client.get(url("badgeaward", "give_back"), {"id": str(award.pk), "next": address}))
    assert "What was done for it before it was revoked counts again." in question
    answer = {"id": award.pk, "reason": "My mistake", "next": address}
    done = client.post(url("badgeaward", "give_back"), answer, follow=True)
    assert done.redirect_chain == [(address, 302)]
    assert "1 of 1" in text(done)
    assert "Start again" not in text(done)
    assert "Nobody can start again" in errors(
        client.post(url("badgeprogress", "start_again"), {"id": award.progress_id, "reason": "x"}, follow=True)
    )


def staff_name() -> str:
    return str(User.objects.get(is_superuser=True).full_name)


@pytest.mark.parametrize("page", ["revoke", "give_back"])
def test_who_may_only_look_corrects_nothing(client: Client, page: str) -> None:
    award = award_to("ann")
    if page == "give_back":
        revoke(client, award)
    looking = staff("view_badgeaward", "view_badgeprogress")
    assert "…" not in text(looking.get(url("badgeaward", "change", award.pk)))
    assert "Start again…" not in text(looking.get(url("badgeprogress", "change", award.progress_id)))
    answer = {"id": award.pk, "reason": "x", "progress": "keep"}
    assert looking.post(url("badgeaward", page), answer).status_code == 403
    assert looking.post(url("badgeprogress", "start_again"), answer).status_code == 403
    assert BadgeAward.objects.count() == 1


@pytest.mark.parametrize("model", ["badgeprogress", "badgeaward"])
def test_facts_are_read_only_even_for_superusers(client: Client, model: str) -> None:
    award = award_to("ann")
    pk = award.pk if model == "badgeaward" else award.progress_id
    assert client.post(url(model, "change", pk), {"number": 7}).status_code == 403
    assert client.get(url(model, "add")).status_code == 403
    assert client.post(url(model, "delete", pk), {"post": "yes"}).status_code == 403


def test_a_template_page_leads_to_its_learners(client: Client) -> None:
    award = award_to("ann")
    award_to("bob")
    page = client.get(url("badgetemplate", "change", award.template.pk))
    overview = page.context["overview"]
    assert (overview.learners, overview.holders) == (1, 1)
    for address in (overview.learners_url, overview.holders_url):
        assert [row[0] for row in table(client.get(address))] == ["ann"]


def test_saving_a_template_that_learners_have_changes_nothing_for_them(client: Client) -> None:
    award = award_to("ann")
    submit(client, url("badgetemplate", "change", award.template.pk), name="Renamed")
    award.refresh_from_db()
    assert award.revoked_at is None


def table(page: Any) -> list[list[str]]:
    """Return the cells of a list as a person reads them; of a learner, whose names come first, only the user name."""
    change_list = page.context["cl"]
    columns = change_list.model_admin.list_display
    rows = [[_cell(change_list.model_admin, row, column) for column in columns] for row in change_list.result_list]
    return [[row[0].split()[-1], *row[1:]] for row in rows]


def _cell(model_admin: Any, row: Any, column: str) -> str:
    method = getattr(model_admin, column, None)
    return strip_tags(str(method(row) if method else getattr(row, column)))
