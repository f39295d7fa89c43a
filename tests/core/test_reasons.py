"""Why an award ended, in words: by facts that are stored, in the language of whoever reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import translation

from badges_plugin import api, reasons
from badges_plugin.models import BadgeAward, Ending
from tests.catalog import write_catalog
from tests.factories import (
    COURSE,
    make_template,
    make_user,
    penalizes_failing,
    requires_course,
    send_passing,
    staff_who_may,
)

PASSING = "org.openedx.learning.course.passing.status.updated.v1"
OTHER = "course-v1:Demo+Other+2026"
CCX = "org.openedx.learning.ccx.course.passing.status.updated.v1"
CERTIFICATE = "org.openedx.learning.certificate.revoked.v1"
LEFT = "org.openedx.learning.course.unenrollment.completed.v1"
PROGRAM = "org.openedx.learning.program.certificate.revoked.v1"
BADGE = "org.openedx.learning.badge.revoked.v1"

GERMAN = {
    "The grade in the course %(subject)s dropped below passing.": (
        "Nach einer neuen Benotung wurde der Kurs %(subject)s nicht bestanden."
    ),
    "The certificate of the course %(subject)s was revoked.": "Das Zertifikat des Kurses %(subject)s wurde entzogen.",
    "The learner left the course %(subject)s.": "Der Kurs %(subject)s wurde verlassen.",
    "The certificate of the program %(subject)s was revoked.": "Das Zertifikat von %(subject)s wurde entzogen.",
    "The badge %(subject)s, which this one needs, was revoked.": "Das nötige Abzeichen %(subject)s wurde entzogen.",
    "The requirements are no longer fulfilled.": "Die Anforderungen sind nicht mehr erfüllt.",
    "The requirements are no longer fulfilled: %(subject)s.": "Die Anforderungen sind nicht mehr erfüllt: %(subject)s.",
    "Expired on %(day)s.": "Abgelaufen am %(day)s.",
    "Revoked by staff.": "Vom Team entzogen.",
    "Revoked at the provider.": "Beim Anbieter entzogen.",
}


@pytest.fixture(autouse=True)
def _german(tmp_path: Path, settings: Any) -> None:
    write_catalog(tmp_path, "de", GERMAN)
    settings.LOCALE_PATHS = [str(tmp_path)]
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]


def penalty(event_type: str = "", key: str = "", name: str = "", description: str = "", **subject: str) -> BadgeAward:
    facts = {
        "event": {"type": event_type},
        "subject": {"key": key, "name": name, **subject},
        "penalty": {"id": 1, "description": description},
    }
    return BadgeAward(revoked_at=datetime(2027, 5, 3, tzinfo=UTC), ended_by=Ending.PENALTY, ending_facts=facts)


def ended(ended_by: str, **values: Any) -> BadgeAward:
    return BadgeAward(revoked_at=datetime(2027, 5, 3, tzinfo=UTC), ended_by=ended_by, **values)


@pytest.mark.parametrize(
    ("award", "english", "german"),
    [
        (
            penalty(PASSING, COURSE, "Algebra"),
            f"The grade in the course Algebra ({COURSE}) dropped below passing.",
            f"Nach einer neuen Benotung wurde der Kurs Algebra ({COURSE}) nicht bestanden.",
        ),
        # Without a display name, as many events are:
        (
            penalty(PASSING, COURSE),
            f"The grade in the course {COURSE} dropped below passing.",
            f"Nach einer neuen Benotung wurde der Kurs {COURSE} nicht bestanden.",
        ),
        # Where the name is the key, it is said once:
        (
            penalty(PASSING, COURSE, COURSE),
            f"The grade in the course {COURSE} dropped below passing.",
            f"Nach einer neuen Benotung wurde der Kurs {COURSE} nicht bestanden.",
        ),
        (
            penalty(CCX, "ccx-v1:a+b+c+ccx@1"),
            "The grade in the course ccx-v1:a+b+c+ccx@1 dropped below passing.",
            "Nach einer neuen Benotung wurde der Kurs ccx-v1:a+b+c+ccx@1 nicht bestanden.",
        ),
        (
            penalty(CERTIFICATE, COURSE, "Algebra"),
            f"The certificate of the course Algebra ({COURSE}) was revoked.",
            f"Das Zertifikat des Kurses Algebra ({COURSE}) wurde entzogen.",
        ),
        (penalty(LEFT, COURSE), f"The learner left the course {COURSE}.", f"Der Kurs {COURSE} wurde verlassen."),
        # A UUID says nothing to people:
        (
            penalty(PROGRAM, "6f1a0d8e-58a6", "Data"),
            "The certificate of the program Data was revoked.",
            "Das Zertifikat von Data wurde entzogen.",
        ),
        (
            penalty(BADGE, "6f1a0d8e-58a6", "Explorer"),
            "The badge Explorer, which this one needs, was revoked.",
            "Das nötige Abzeichen Explorer wurde entzogen.",
        ),
        # A penalty for passing, and one by an event that nobody has thought of:
        (
            penalty(PASSING, COURSE, passed="yes"),
            f"The requirements are no longer fulfilled: {COURSE}.",
            f"Die Anforderungen sind nicht mehr erfüllt: {COURSE}.",
        ),
        (
            penalty("org.openedx.learning.new.v1", COURSE),
            f"The requirements are no longer fulfilled: {COURSE}.",
            f"Die Anforderungen sind nicht mehr erfüllt: {COURSE}.",
        ),
        # Staff's own words are nobody's to translate:
        (penalty(PASSING, COURSE, description="Copied  the\nexam."), "Copied the exam.", "Copied the exam."),
        (
            ended("penalty", ending_facts={"event": {"id": "only that"}}),
            "The requirements are no longer fulfilled.",
            "Die Anforderungen sind nicht mehr erfüllt.",
        ),
        (
            ended("expired", expires_at=datetime(2027, 5, 3, tzinfo=UTC)),
            "Expired on May 3, 2027.",
            "Abgelaufen am 3. Mai 2027.",
        ),
        (ended("by_hand", revocation_reason="Copied."), "Copied.", "Copied."),
        (ended("by_hand"), "Revoked by staff.", "Vom Team entzogen."),  # of a learner who was retired
        (ended("provider"), "Revoked at the provider.", "Beim Anbieter entzogen."),
        (BadgeAward(), "", ""),
    ],
)
def test_a_reason_in_two_languages(award: BadgeAward, english: str, german: str) -> None:
    for language, expected in (("en", english), ("de", german), ("en", english)):
        with translation.override(language):
            assert award.reason == expected


@pytest.mark.parametrize("words", ["because " * 100, "x" * 300, "ü" * 255])
def test_a_reason_is_never_longer_than_providers_take(words: str) -> None:
    assert 200 < len(penalty(PASSING, COURSE, description=words).reason) <= reasons.MAX_LENGTH


@pytest.mark.parametrize(
    ("description", "english", "german"),
    [
        (
            "",
            f"The grade in the course {COURSE} dropped below passing.",
            f"Nach einer neuen Benotung wurde der Kurs {COURSE} nicht bestanden.",
        ),
        ("Fails after a regrade.", "Fails after a regrade.", "Fails after a regrade."),
    ],
)
@pytest.mark.django_db
def test_staff_read_it_in_their_language_and_find_the_event(
    description: str, english: str, german: str, settings: Any
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    template, user = make_template(), make_user()
    row = penalizes_failing(template, requires_course(template))
    row.description = description
    row.save()
    send_passing(user, minute=1)
    # As the process that hears of it may be set to any language.
    with translation.override("de"):
        send_passing(user, is_passing=False, minute=2)
    award = BadgeAward.objects.get()
    assert award.ending_facts["penalty"]["id"] == row.pk
    assert user.username not in str(award.ending_facts)

    client = Client()
    client.force_login(staff_who_may("view_badgeaward"))
    page = reverse("admin:badges_plugin_badgeaward_change", args=[award.pk])
    for language, expected in (("en", english), ("de", german)):
        shown = client.get(page, headers={"accept-language": language}).content.decode()
        assert expected in shown
        assert award.ending_facts["event"]["id"] in shown


@pytest.mark.django_db
def test_the_catalog_names_the_course_where_the_events_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []

    def titles(keys: set[str]) -> dict[str, str]:
        asked.append(keys)
        return {COURSE: "Algebra"}

    monkeypatch.setattr("badges_plugin.processing.causes.course_titles", titles)
    for course in (COURSE, OTHER):
        template = make_template(name=course)
        penalizes_failing(template, requires_course(template, course), course)
    user = make_user()
    for minute, (course, is_passing) in enumerate((c, p) for p in (True, False) for c in (COURSE, OTHER)):
        send_passing(user, course, is_passing=is_passing, minute=minute)
    assert [award.reason for award in BadgeAward.objects.order_by("pk")] == [
        f"The grade in the course Algebra ({COURSE}) dropped below passing.",
        f"The grade in the course {OTHER} dropped below passing.",
    ]
    assert asked == [{COURSE}, {OTHER}]


@pytest.mark.django_db
def test_own_words_are_cut_to_their_column() -> None:
    template = make_template()
    requires_course(template)
    send_passing(make_user())
    award = BadgeAward.objects.get()
    api.revoke_award(award, reason="because " * 100)
    assert len(award.reason) == reasons.MAX_LENGTH


@pytest.mark.django_db
def test_what_older_versions_stored_as_a_sentence_keeps_its_event() -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    send_passing(user, minute=1)
    send_passing(user, is_passing=False, minute=2)
    event_id = BadgeAward.objects.get().ending_facts["event"]["id"]
    sentence = f"Die Anforderungen sind nicht mehr erfüllt (Ereignis {event_id})."
    BadgeAward.objects.update(ending_facts={}, revocation_reason=sentence)
    migration = import_module("badges_plugin.migrations.0020_events_that_ended_awards")
    for _ in range(2):
        migration.keep_events(apps, SimpleNamespace(connection=connection))
        award = BadgeAward.objects.get()
        assert (award.ending_facts, award.revocation_reason) == ({"event": {"id": event_id}}, "")
    assert award.reason == "The requirements are no longer fulfilled."
