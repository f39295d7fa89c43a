"""Learners' progress and badges in the admin, and revoking by hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import OperationalError
from django.test import Client

from badges_plugin.host import REVOKED, User
from badges_plugin.models import BadgeAward, BadgeProgress
from badges_plugin.signals import badge_revoked
from tests.core.admin_pages import errors, staff, submit, text, url
from tests.core.conftest import Heard
from tests.factories import COURSE, make_template, make_user, requires_course, send_passing

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
    assert rows["half"][3:] == ["1 of 2", "False", "False"]
    assert rows["whole"][3:] == ["2 of 2", "True", "True"]

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
    page = client.post(url("badgeaward"), {"action": "revoke", "_selected_action": [award.pk]})
    assert "ann: Badge of ann" in text(page)
    assert "bob" not in text(page)
    assert not errors(page)
    assert not heard.revoked

    assert "This field is required" in errors(revoke(client, award, reason=" "))
    assert not heard.revoked

    with django_capture_on_commit_callbacks(execute=True):
        page = revoke(client, award, reason="Copied the exam")
    assert "1 badge was revoked" in errors(page)
    assert heard.revoked == [award]
    assert heard.announcements[-1] == "revoked"
    award.refresh_from_db()
    assert award.revocation_reason == "Copied the exam"
    assert award.credential.status == REVOKED
    assert "Copied the exam" in LogEntry.objects.get(object_id=award.pk).change_message
    assert "Copied the exam" in text(client.get(url("badgeaward")))

    assert "have already ended" in errors(revoke(client, award, reason="Again"))
    other.refresh_from_db()
    assert other.revoked_at is None


def test_every_revocation_is_in_the_log_of_the_admin_also_when_a_later_one_fails(client: Client) -> None:
    awards = [award_to(username) for username in ("ann", "bob", "cid")]

    def fail(award: BadgeAward, **kwargs: Any) -> None:
        if award == awards[0]:  # the list begins with the newest
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


def revoke(client: Client, *awards: BadgeAward, reason: str) -> Any:
    chosen = [award.pk for award in awards]
    action = {"action": "revoke", "_selected_action": chosen, "confirmed": "1", "reason": reason}
    return client.post(url("badgeaward"), action, follow=True)


def test_the_page_of_a_badge_names_its_events_and_leads_to_revoking(client: Client) -> None:
    award = award_to("ann")
    page = client.get(url("badgeaward", "change", award.pk))
    assert award.events[0]["id"] in text(page)
    assert str(award.credential.uuid) in text(page)
    assert f'name="_selected_action" value="{award.pk}"' in page.content.decode()
    assert 'name="_save"' not in page.content.decode()


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
    """Return the cells of a list as a person reads them, marks as "True" and "False"."""
    change_list = page.context["cl"]
    columns = change_list.model_admin.list_display
    return [[_cell(change_list.model_admin, row, column) for column in columns] for row in change_list.result_list]


def _cell(model_admin: Any, row: Any, column: str) -> str:
    method = getattr(model_admin, column, None)
    return str(method(row) if method else getattr(row, column))
