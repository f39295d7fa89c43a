"""Mails to learners: who gets which, once, in which words; and what they never get."""

from __future__ import annotations

import re
import smtplib
from datetime import timedelta
from typing import Any

import attr
import pytest
from django.contrib.sites.models import Site
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from edx_ace.message import Message

from badges_plugin import api
from badges_plugin.distribution.api import RateLimiter
from badges_plugin.distribution.open_badges.models import IssuerProfile
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.web.mails import deciding, outcomes, working
from badges_plugin.web.mails.planning import plan
from badges_plugin.web.mails.writing import write
from badges_plugin.web.notes import MailNote, MailPreference, MailText
from tests.distribution.worlds import deliver, set_up_ace
from tests.factories import EPOCH, at, make_user, send_passing
from tests.web.pages_world import award_of, earn

DAY = 24 * 60
"""Minutes."""


@pytest.fixture(params=["django", "edx-ace"])
def way(request: pytest.FixtureRequest, settings: Any) -> str:
    """With edx-ace set up as a host would, and without."""
    settings.ACE_ENABLED_CHANNELS = []  # a real host has some
    if request.param == "edx-ace":
        set_up_ace(settings)
    return str(request.param)


class Refusing(EmailBackend):
    """A mail server that does as ``failures`` says, by the place where it happens."""

    failures: dict[str, Exception] = {}

    def open(self) -> bool:
        if "open" in self.failures:
            raise self.failures["open"]
        return True

    def send_messages(self, messages: Any) -> int:
        if "send" in self.failures:
            raise self.failures["send"]
        return super().send_messages(messages)


@pytest.fixture
def failures(settings: Any) -> Any:
    """What goes wrong at the mail server; nothing at first."""
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    Refusing.failures = {}
    yield Refusing.failures
    Refusing.failures = {}


def send_all(minute: float) -> list[Any]:
    """Do what a worker does at this minute; returns the mails that went out."""
    before = len(mail.outbox)
    plan(at(minute))
    while working.send_some(at(minute), limiter=RateLimiter(1e9), chance=lambda: 0.5):
        pass
    return mail.outbox[before:]


def states() -> dict[str, str]:
    """Return what became of each mail, by kind."""
    return dict(MailNote.objects.order_by("pk").values_list("kind", "state"))


def html_of(message: Any) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


def test_a_signed_badge(ada: Any, statistics: BadgeTemplate, way: str) -> None:
    BadgeTemplate.objects.update(name="R&D <Explorer>")
    earn(ada, statistics)
    [message] = send_all(5)
    assert send_all(6) == send_all(90) == []

    assert (message.to, message.subject) == (["ada@example.org"], "You have earned the badge R&D <Explorer>")
    assert message.from_email == "Example University <no-reply@badges.example.org>"
    assert message.reply_to == ["badges@example.org"]
    for text in (message.body, html_of(message)):
        assert "Well done, Ada Lovelace!" in text
        assert "https://badges.example.org/badges/mine/" in text
        assert "Pass course-v1:Demo+Badges+1" in text
        assert "example.com" not in text
    assert "R&D <Explorer>" in message.body
    assert "R&amp;D &lt;Explorer&gt;" in html_of(message)
    assert re.search(r'<img src="https://badges\.example\.org/badges/images/[\w/-]+\.png"', html_of(message))
    [link] = re.findall(r"^https://badges\.example\.org/badges/mails/off/\S+$", message.body, flags=re.MULTILINE)
    if way == "django" or "headers" in {field.name for field in attr.fields(Message)}:  # Redwood's edx-ace has none
        assert message.extra_headers["List-Unsubscribe"] == f"<{link}>"
        assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert states() == {"awarded": "sent"}


def test_nothing_is_sent_before_it_is_signed(ada: Any, statistics: BadgeTemplate) -> None:
    send_passing(ada, minute=1)
    assert send_all(2) == []
    deliver()
    assert send_all(2.5) == [], "it is looked at again a little later"
    assert len(send_all(5)) == 1


@pytest.mark.parametrize(("minutes", "wait"), [(0, 2), (8, 2), (60, 15), (DAY, DAY / 4)])
def test_the_longer_a_badge_is_not_signed_the_less_often_it_is_asked_about(
    ada: Any, statistics: BadgeTemplate, minutes: float, wait: float
) -> None:
    send_passing(ada, minute=1)
    plan(at(2))
    assert send_all(2 + minutes) == []
    assert MailNote.objects.get().due_at == at(2 + minutes + wait)


@pytest.mark.parametrize(("days", "number"), [(2.9, 1), (3.1, 0), (3000, 0)])
def test_old_badges_are_no_news(ada: Any, statistics: BadgeTemplate, days: float, number: int) -> None:
    """What a backfill or a replay awards now is dated by its events."""
    earn(ada, statistics)
    assert len(send_all(1 + days * DAY)) == number
    assert MailNote.objects.count() == number


def test_a_revoked_badge(ada: Any, statistics: BadgeTemplate, way: str) -> None:
    earn(ada, statistics)
    send_all(5)
    send_passing(ada, minute=6, is_passing=False)
    deliver()
    [message] = send_all(8)
    assert message.subject == "Your badge Statistics was revoked"
    for text in (message.body, html_of(message)):
        assert "dropped below passing." in text
        assert "You can earn it again" in text


def test_staffs_words_are_not_sent(ada: Any, statistics: BadgeTemplate) -> None:
    earn(ada, statistics)
    send_all(5)
    api.revoke_award(award_of(ada, statistics), reason="Cheated.")
    BadgeAward.objects.update(revoked_at=at(6))
    deliver()
    [message] = send_all(8)
    assert "Cheated" not in message.body + html_of(message)
    assert "You can earn it again" not in message.body


def test_who_was_never_told_of_a_badge_is_not_told_of_its_end(ada: Any, statistics: BadgeTemplate) -> None:
    earn(ada, statistics)
    plan(at(2))
    send_passing(ada, minute=3, is_passing=False)
    deliver()
    assert send_all(5) == []
    assert states() == {"awarded": "skipped", "revoked": "skipped"}


def test_who_has_it_again_is_told_only_of_that(ada: Any, statistics: BadgeTemplate) -> None:
    earn(ada, statistics)
    send_all(2)
    send_passing(ada, minute=3, is_passing=False)
    earn(ada, statistics, minute=4)
    assert [each.subject for each in send_all(5)] == ["You have earned the badge Statistics"]


@pytest.mark.parametrize(
    ("valid_days", "recorded", "minute", "expected"),
    [
        (100, 0, 69 * DAY, []),
        (100, 0, 71 * DAY, ["Your badge Statistics is about to expire"]),
        (100, 0, 101 * DAY, []),  # over
        (30, 0, 10 * DAY, []),  # the mail on the award said so
        (100, 69 * DAY, 71 * DAY, ["Your badge Statistics is about to expire"]),
        (100, 71 * DAY, 72 * DAY, []),  # backfilled when it was about to expire already
    ],
)
def test_a_badge_about_to_expire(
    ada: Any, statistics: BadgeTemplate, valid_days: int, recorded: float, minute: float, expected: list[str]
) -> None:
    earn(ada, statistics)
    BadgeAward.objects.update(expires_at=EPOCH + timedelta(days=valid_days), recorded_at=at(recorded))
    found = send_all(minute)
    assert [each.subject for each in found] == expected
    assert all("April 11, 2026" in each.body + html_of(each) for each in found)
    assert send_all(minute + 60) == []


def unverified(user: Any) -> None:
    user.is_active = False


def no_address(user: Any) -> None:
    user.email = ""


def broken_address(user: Any) -> None:
    user.email = "ada@localhost, eve@example.org"


def retired(user: Any) -> None:
    user.email = "retired__user_1@retired.invalid"


@pytest.mark.parametrize("change", [unverified, no_address, broken_address, retired], ids=lambda each: each.__name__)
def test_who_gets_none(ada: Any, statistics: BadgeTemplate, change: Any) -> None:
    earn(ada, statistics)
    plan(at(2))
    change(ada)
    ada.save()
    assert send_all(5) == []
    assert states() == {"awarded": "skipped"}
    MailNote.objects.all().delete()
    assert send_all(6) == []


@pytest.mark.parametrize(
    "switched",
    [{"mails": {"enabled": False}}, {"mails": {"awarded": False}}, {"pages": {"enabled": False}}],
    ids=lambda each: str(each),
)
def test_what_is_switched_off_is_not_even_noted(
    ada: Any, statistics: BadgeTemplate, settings: Any, switched: dict[str, Any]
) -> None:
    earn(ada, statistics)
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, **switched}
    assert send_all(5) == []
    assert not MailNote.objects.exists()


def test_no_link_leads_to_an_example(ada: Any, statistics: BadgeTemplate) -> None:
    earn(ada, statistics)
    IssuerProfile.objects.update(base_url="https://www.example.com/")
    assert send_all(5) == []
    assert states() == {"awarded": "waiting"}
    IssuerProfile.objects.update(base_url="https://badges.example.org/badges-of-ours/")
    [message] = send_all(70)
    assert "https://badges.example.org/badges-of-ours/badges/mine/" in message.body


@pytest.mark.parametrize(
    ("language", "subject", "tag"),
    [
        ("es", "Insignia Statistics", "es"),
        # Without a translation of the rest, all is in English.
        ("nl", "You have earned the badge Statistics", "en"),
    ],
)
def test_in_the_language_that_is_known(
    ada: Any, statistics: BadgeTemplate, settings: Any, language: str, subject: str, tag: str
) -> None:
    settings.LANGUAGES = [("en", "English"), ("es", "Spanish"), ("nl", "Dutch")]
    MailPreference.objects.create(user=ada, language=language)
    site = Site.objects.get_current()
    MailText.objects.create(site=site, kind="awarded", language=language, subject="Insignia {badge}")
    earn(ada, statistics)
    [message] = send_all(5)
    assert message.subject == subject
    assert f'lang="{tag}" dir="ltr"' in html_of(message)


HOSTILE = (
    '<p onclick="x()">Dear {name}, <a href="javascript:x()">bad</a> <a href="https://example.org/a">good</a>'
    '<script>alert(1)</script><img src="https://tracker.example.org/1.png"></p><ul><li>{badge}</li></ul>'
)


def test_the_words_of_a_site(ada: Any, statistics: BadgeTemplate, way: str) -> None:
    BadgeTemplate.objects.update(name="{name} <b>")
    MailText.objects.create(site=statistics.site, kind="awarded", subject="New:\n{badge}", text=HOSTILE)
    earn(ada, statistics)
    [message] = send_all(5)
    assert message.subject == "New: {name} <b>"
    assert "Dear Ada Lovelace, bad good (https://example.org/a)" in message.body
    assert "- {name} <b>" in message.body
    html = html_of(message)
    assert '<a href="https://example.org/a">good</a>' in html
    assert "<li>{name} &lt;b&gt;</li>" in html
    for gone in ("onclick", "javascript:", "<script", "tracker"):
        assert gone not in html


DEFINITE = {"ada@example.org": (550, b"no such user")}
FULL = {"ada@example.org": (452, b"mailbox full")}


@pytest.mark.parametrize(
    ("where", "error", "state", "comes_later"),
    [
        # Nothing was claimed: it waits for the server.
        ("open", ConnectionRefusedError(), "waiting", True),
        ("open", TimeoutError(), "waiting", True),
        ("open", smtplib.SMTPAuthenticationError(535, b"no"), "waiting", True),
        # The server said no to this one for good.
        ("send", smtplib.SMTPRecipientsRefused(DEFINITE), "failed", False),
        ("send", smtplib.SMTPDataError(554, b"spam"), "failed", False),
        # It said: later.
        ("send", smtplib.SMTPRecipientsRefused(FULL), "waiting", True),
        ("send", smtplib.SMTPDataError(451, b"greylisted"), "waiting", True),
        ("send", smtplib.SMTPSenderRefused(550, b"no", "a@b.org"), "waiting", True),
        # Nobody knows: never twice.
        ("send", smtplib.SMTPServerDisconnected("gone"), "unknown", False),
        ("send", TimeoutError(), "unknown", False),
        ("send", ConnectionResetError(), "unknown", False),
    ],
)
def test_what_the_mail_server_says(
    ada: Any, statistics: BadgeTemplate, failures: Any, where: str, error: Exception, state: str, comes_later: bool
) -> None:
    earn(ada, statistics)
    failures[where] = error
    assert send_all(5) == []
    assert states() == {"awarded": state}
    failures.clear()
    assert len(send_all(5 + 60)) == comes_later


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (smtplib.SMTPRecipientsRefused(DEFINITE), "failed"),
        (smtplib.SMTPDataError(451, b"greylisted"), "waiting"),
        (smtplib.SMTPServerDisconnected("gone"), "unknown"),
        (TimeoutError(), "unknown"),
    ],
)
def test_what_edx_ace_keeps_to_itself(
    ada: Any, statistics: BadgeTemplate, failures: Any, settings: Any, error: Exception, state: str
) -> None:
    """``ace.send`` returns as if all were well."""
    set_up_ace(settings)
    earn(ada, statistics)
    failures["send"] = error
    send_all(5)
    assert states() == {"awarded": state}


def test_attempts_come_to_an_end(ada: Any, statistics: BadgeTemplate, failures: Any) -> None:
    earn(ada, statistics)
    failures["send"] = smtplib.SMTPDataError(451, b"greylisted")
    minute = 5.0
    for _ in range(outcomes.MAX_ATTEMPTS):
        assert states() == {"awarded": "waiting"} or minute == 5
        send_all(minute)
        minute += DAY / 2
    assert states() == {"awarded": "failed"}


def test_a_long_absence_of_the_server_ends_in_silence(ada: Any, statistics: BadgeTemplate, failures: Any) -> None:
    earn(ada, statistics)
    failures["open"] = ConnectionRefusedError()
    send_all(5)
    failures.clear()
    assert send_all(5 + (deciding.PATIENCE.days + 1) * DAY) == []
    assert states() == {"awarded": "skipped"}


def test_a_worker_that_was_killed_leaves_no_second_mail(ada: Any, statistics: BadgeTemplate) -> None:
    earn(ada, statistics)
    plan(at(5))
    MailNote.objects.update(state="sending", attempts=1, due_at=at(5))
    assert send_all(6) == []
    assert states() == {"awarded": "sending"}
    assert send_all(30) == []
    assert states() == {"awarded": "unknown"}


def test_a_mail_that_cannot_be_written_holds_up_no_other(
    ada: Any, statistics: BadgeTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    earn(ada, statistics)
    earn(make_user(), statistics)
    first, second = BadgeAward.objects.order_by("pk")

    def write_but_one(kind: str, award: BadgeAward, *args: Any) -> Any:
        if award == first:
            raise UnicodeError("A mistake.")
        return write(kind, award, *args)

    monkeypatch.setattr("badges_plugin.web.mails.working.write", write_but_one)
    assert [message.to for message in send_all(5)] == [[second.user.email]]
    assert MailNote.objects.get(award=first).state == "waiting"
    assert send_all(70) == []
    assert send_all(8 * DAY) == []
    assert MailNote.objects.get(award=first).reason == "too_late"


def test_another_worker_was_faster(ada: Any, statistics: BadgeTemplate, monkeypatch: pytest.MonkeyPatch) -> None:
    earn(ada, statistics)
    plan(at(5))

    def write_meanwhile(*args: Any) -> Any:
        MailNote.objects.update(state="sent", attempts=1)
        return write(*args)

    monkeypatch.setattr("badges_plugin.web.mails.working.write", write_meanwhile)
    assert send_all(5) == []


def test_mails_keep_the_pace(statistics: BadgeTemplate) -> None:
    for number in range(3):
        earn(make_user(email=f"{number}@example.org"), statistics)
    plan(at(5))
    clock = iter([0.0] * 100)
    slow = RateLimiter(60, clock=lambda: next(clock), sleep=lambda seconds: None)
    assert working.send_some(at(5), limiter=slow) is True
    assert len(mail.outbox) == 1


def test_many_badges_at_once_are_noted_with_few_queries(
    statistics: BadgeTemplate, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        send_passing(make_user(), minute=1)
    with django_assert_max_num_queries(12):
        assert plan(at(5)) is False
    assert MailNote.objects.count() == 20
    with django_assert_max_num_queries(4):
        plan(at(6))


def test_nothing_is_written_where_a_badge_is_awarded(ada: Any, statistics: BadgeTemplate) -> None:
    send_passing(ada, minute=1)
    assert not MailNote.objects.exists()


def test_erasure_deletes_what_is_kept(ada: Any, statistics: BadgeTemplate) -> None:
    earn(ada, statistics)
    send_all(5)
    MailPreference.objects.create(user=ada, revoked=False)
    bob = make_user()
    MailPreference.objects.create(user=bob)
    type(ada).objects.filter(pk=ada.pk).update(username="retired__user_1")
    api.sweep_retired()
    assert not MailNote.objects.exists()
    assert [row.user_id for row in MailPreference.objects.all()] == [bob.pk]
    assert send_all(8) == []
    assert not MailNote.objects.exists()
