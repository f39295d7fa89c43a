"""Choosing mails and stopping them, what waits at a provider, and the whole way through a worker."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from badges_plugin.distribution.api import RateLimiter
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate
from badges_plugin.distribution.housekeeping import Housekeeping
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.web.mails import links, working
from badges_plugin.web.mails.checks import check_mails, examine
from badges_plugin.web.mails.planning import plan
from badges_plugin.web.notes import MailNote, MailPreference, MailText
from tests.core.admin_pages import staff
from tests.credly.conftest import credly, organization, template  # noqa: F401  a world of badges at Credly
from tests.distribution.worlds import deliver
from tests.factories import EPOCH, make_user, send_passing
from tests.web.pages_world import as_user, words

ALL_KINDS = ["awarded", "revoked", "expiring", "pending"]


def just_now() -> float:
    """Return the minute of a moment ago, as tests of events count."""
    return (timezone.now() - EPOCH).total_seconds() / 60 - 1


def stopped(user: Any) -> list[str]:
    row = MailPreference.objects.get(user=user)
    return [kind for kind in ALL_KINDS if not row.wants(kind)]


def test_the_worker_sends_what_is_new(ada: Any, statistics: BadgeTemplate, settings: Any) -> None:
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "mails": {"per_minute": 6000}}
    send_passing(ada, minute=just_now())
    deliver()
    Housekeeping().do_due_chores(timezone.now())
    [message] = mail.outbox
    off = re.search(r"https://badges\.example\.org(/badges/mails/off/\S+)", str(message.body))
    assert off

    response = as_user(None).get(off[1])
    assert "No more e-mails about badges?" in words(response)
    assert response["Referrer-Policy"] == "same-origin"
    assert not MailPreference.objects.exists(), "filters of mail programs open links by themselves"
    for _ in range(2):
        response = Client(enforce_csrf_checks=True).post(off[1], {"List-Unsubscribe": "One-Click"})
        assert "You get no more e-mails about badges" in words(response)
    assert stopped(ada) == ALL_KINDS

    send_passing(ada, minute=just_now(), is_passing=False)
    deliver()
    Housekeeping().do_due_chores(timezone.now())
    assert MailNote.objects.get(kind="revoked").reason == "not_wanted"
    assert len(mail.outbox) == 1


def test_links_that_nobody_here_has_made_stop_nothing(ada: Any, statistics: BadgeTemplate) -> None:
    good = links.off_path(ada.pk)
    for path in (good[:-2] + "x/", "/badges/mails/off/1/", links.off_path(ada.pk + 1000)):
        assert as_user(None).post(path).status_code == 404
    type(ada).objects.filter(pk=ada.pk).update(username="retired__user_1")
    response = as_user(None).post(good)
    assert response.status_code == 410
    assert not MailPreference.objects.exists()


def test_a_learner_chooses(ada: Any, statistics: BadgeTemplate) -> None:
    client = as_user(ada)
    source = client.get("/badges/mails/").content.decode()
    assert source.count(" checked") == 4
    assert "ada@example.org" in source
    response = client.post("/badges/mails/", {"wanted": ["awarded", "<script>"]}, follow=True)
    assert "Saved." in words(response)
    assert response.content.decode().count(" checked") == 1
    assert stopped(ada) == ["revoked", "expiring", "pending"]
    assert MailPreference.objects.get().language == "en"


def test_what_the_site_does_not_send_is_not_asked_and_not_changed(
    ada: Any, statistics: BadgeTemplate, settings: Any
) -> None:
    MailPreference.objects.create(user=ada, pending=False)
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "mails": {"pending": False}}
    assert 'value="pending"' not in as_user(ada).get("/badges/mails/").content.decode()
    as_user(ada).post("/badges/mails/", {})
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "mails": {"enabled": False}}
    assert "This site sends no e-mails" in words(as_user(ada).get("/badges/mails/"))
    assert stopped(ada) == ALL_KINDS


def test_a_choice_is_that_of_the_person(ada: Any, statistics: BadgeTemplate) -> None:
    """LMS user ids are not unique in the host: badges may know this person by another user."""
    earlier = make_user(lms_user_id=ada.lms_user_id)
    as_user(ada).post(links.off_path(ada.pk))
    assert stopped(earlier) == ALL_KINDS


def test_the_page_asks_who_it_is_and_forms_cannot_be_forged(ada: Any, statistics: BadgeTemplate) -> None:
    assert as_user(None).get("/badges/mails/").status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    assert strict.post("/badges/mails/", {}).status_code == 403
    assert 'href="/badges/mails/"' in as_user(ada).get("/badges/mine/").content.decode()


def days_on(days: float) -> list[Any]:
    """Do what a worker does so many days from now; returns the mails that went out."""
    now, before = timezone.now() + timedelta(days=days), len(mail.outbox)
    plan(now)
    working.send_some(now, limiter=RateLimiter(1e9))
    return mail.outbox[before:]


@pytest.fixture
def waiting(site: Any, template: CredlyBadgeTemplate, credly: Any, settings: Any, ada: Any) -> BadgeAward:  # noqa: F811
    """A badge that Ada has not accepted at Credly."""
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "credly": {"CREDLY_API_BASE_URL": credly.url}}
    template.badgetemplate_ptr.site = site
    template.badgetemplate_ptr.save()
    send_passing(ada, minute=just_now())
    deliver()
    return BadgeAward.objects.get()


def test_a_badge_that_waits_at_a_provider_is_brought_to_mind_once(waiting: BadgeAward, credly: Any) -> None:  # noqa: F811
    assert days_on(6.9) == []
    [message] = days_on(7.1)
    assert message.subject == f"Your badge {waiting.template.name} is waiting for you"
    assert f"{credly.origin}/go/{credly.badges()[0].accept_token}" in message.body
    assert "Accept at Credly" in message.body
    assert days_on(8) == days_on(30) == []


def test_an_accepted_badge_needs_no_reminder(waiting: BadgeAward) -> None:
    CredlyBadge.objects.update(state="accepted")
    assert days_on(8) == []
    assert MailNote.objects.get().reason == "not_waiting"


def test_badges_that_waited_before_mails_were_switched_on_are_left_alone(waiting: BadgeAward) -> None:
    assert days_on(11) == []
    assert not MailNote.objects.exists()


def test_staff_see_what_is_left_of_their_words(statistics: BadgeTemplate) -> None:
    client = staff(superuser=True)
    data = {"site": statistics.site_id, "kind": "awarded", "language": "EN", "subject": "Yes!"}
    client.post(
        "/admin/badges_web/mailtext/add/", {**data, "text": "<b>Bring</b> <script>x</script><table>cake</table>"}
    )
    row = MailText.objects.get()
    assert (row.language, row.text) == ("en", "<b>Bring</b> x\ncake")
    client.post("/admin/badges_web/mailtext/add/", {**data, "language": "xx"})
    assert MailText.objects.count() == 1


def test_staff_see_what_was_sent(waiting: BadgeAward) -> None:
    days_on(8)
    page = staff(superuser=True).get("/admin/badges_web/mailnote/").content.decode()
    assert "badge waiting to be accepted" in page
    assert (
        staff(superuser=True).get(f"/admin/badges_web/mailnote/{MailNote.objects.get().pk}/change/").status_code == 200
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, None),
        ({"awarded": "yes"}, '["awarded"] must be True or False'),
        ({"per_minute": 0}, '["per_minute"] must be a whole number from 1 to 6000, not 0'),
        ({"expiring_days": 1.5}, '["expiring_days"] must be'),
        ({"award": True}, "unknown keys: award"),
    ],
)
def test_settings(settings: Any, given: dict[str, object], said: str | None) -> None:
    settings.BADGES_CONFIG = {"mails": given}
    found = check_mails(None)
    assert [each.id for each in found] == ["badges_web.E002"] * bool(said)
    assert said is None or said in found[0].msg


@pytest.mark.django_db
def test_the_doctor(settings: Any, waiting: BadgeAward) -> None:
    settings.EMAIL_TIMEOUT = None
    MailNote.objects.create(award=waiting, kind="pending", due_at=timezone.now() - timedelta(days=1))
    MailNote.objects.create(award=waiting, kind="revoked", state="failed", settled_at=timezone.now())
    found = [each.what for each in examine()]
    assert [text.partition(" ")[0] for text in found] == ["Learners", "A", "1", "1"]
