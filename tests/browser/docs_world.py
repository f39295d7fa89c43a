"""A school of public health: the badge, the learners and the mishaps that the pictures of the how-tos show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.sites.models import Site
from django.core.cache import cache
from django.core.management import call_command

from badges_plugin import api
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.open_badges.models import IssuerProfile
from badges_plugin.models import BadgeAward, BadgeTemplate, FailedEvent
from tests.browser.world import EARLIER, ETHICS, TODAY, Calendar, work
from tests.factories import EPOCH, make_template, make_user, penalizes_failing, requires_course, send_passing

INTRODUCTION, EPIDEMIOLOGY, STATISTICS = (
    f"course-v1:Northside+{name}+2026" for name in ("PublicHealth", "Epidemiology", "HealthStatistics")
)
TITLES = {
    INTRODUCTION: "Introduction to Public Health",
    EPIDEMIOLOGY: "Epidemiology",
    STATISTICS: "Health Statistics",
}
FOUNDATIONS, SUMMER_SCHOOL = "Foundations of Public Health", "Summer School of Public Health"
SECOND = "badges.college.example"
WEEK = 7 * 24 * 60
NAMES = (
    "Amina Diallo",
    "Ben Carter",
    "Chiara Rossi",
    "Daniel Weber",
    "Elif Kaya",
    "Farid Haddad",
    "Grace Mwangi",
    "Hana Sato",
    "Ivan Petrov",
    "Julia Nowak",
    "Kwame Boateng",
    "Maria Torres",
)
VISITORS = ("Nadia Rahman", "Oscar Lund", "Priya Nair", "Quentin Blanc")
"""They are given a badge by hand, and do nothing for one."""
# The week in which a learner passed each course; None: not yet.
WEEKS: tuple[tuple[int, int | None], ...] = (
    (36, 38),
    (36, 39),
    (36, 40),
    (37, 40),
    (37, 41),
    (38, 41),
    (38, 43),
    (38, 44),
    (39, 46),
    (40, None),
    (43, None),
    (45, None),
)


@dataclass(frozen=True)
class School:
    """What the how-tos are about. ``failed`` is a delivery to Credly that only staff can help."""

    staff: Any
    support: Any
    learners: dict[str, Any]
    foundations: BadgeTemplate
    summer_school: BadgeTemplate
    failed: Delivery

    def award_of(self, name: str) -> BadgeAward:
        """Return the award of the badge to the learner with this first name."""
        return BadgeAward.objects.get(progress__user=self.learners[name], progress__template=self.foundations)


def open_school(calendar: Calendar) -> School:
    """Make it. ``calendar`` is the time that the site goes by."""
    _fill_catalog()
    found = _school(calendar)
    cache.clear()
    return found


def _school(calendar: Calendar) -> School:
    calendar.today = EARLIER
    site = Site.objects.order_by("pk")[0]
    foundations = make_template(
        site=site,
        uuid=UUID(int=0x5C),
        name=FOUNDATIONS,
        description="Knows how the health of a population is measured and protected.",
        icon="",
        valid_days=2 * 365,
    )
    for course in (INTRODUCTION, EPIDEMIOLOGY):
        penalizes_failing(foundations, requires_course(foundations, course), course)
    summer_school = make_template(
        site=site, uuid=UUID(int=0x5B), name=SUMMER_SCHOOL, description="", icon="", is_given_by_staff=True
    )
    _second_site()
    calendar.today = TODAY
    learners = {}
    for name, weeks in zip(NAMES, WEEKS, strict=True):
        learner = _user(name)
        learners[learner.username] = learner
        for course, week in zip((INTRODUCTION, EPIDEMIOLOGY), weeks, strict=True):
            if week is not None:
                send_passing(learner, course, minute=week * WEEK + 9 * 60)
    work()
    send_passing(learners["elif"], INTRODUCTION, is_passing=False, minute=45 * WEEK)
    send_passing(learners["grace"], ETHICS, minute=46 * WEEK)
    work()
    failed = Delivery.objects.get(award__progress__user=learners["grace"], backend="credly")
    reason = "Credly does not accept the e-mail address of the learner."
    Delivery.objects.filter(pk=failed.pk).update(state="failed", last_error=reason)
    _failed_event()
    call_command("badges_groups", verbosity=0)
    staff = _user("Mara Ortiz", is_staff=True, is_superuser=True)
    support = _user("Sam Field", is_staff=True)
    support.groups.set(Group.objects.filter(name="Badge support"))
    given = BadgeAward.objects.get(progress__user=learners["ivan"])
    api.revoke_award(given, reason="It was somebody else’s exam", by=staff)
    visitors = {visitor.username: visitor for visitor in map(_user, VISITORS)}
    api.award_by_hand(summer_school, visitors["priya"], reason="Summer school 2026", given_by=staff)
    work()
    return School(staff, support, learners | visitors, foundations, summer_school, failed)


def _user(name: str, **changes: Any) -> Any:
    username = name.partition(" ")[0].lower()
    return make_user(username=username, full_name=name, email=f"{username}@northside.example", **changes)


def _failed_event() -> None:
    FailedEvent.objects.create(
        fingerprint="docs",
        bus="kafka",
        topic="learning-badges-lifecycle",
        group="credentials",
        position="0:7",
        event_type="org.openedx.learning.course.passing.status.updated.v1",
        event_time=EPOCH,
        reason="ReceiversFailed: badges_plugin.handlers.handle_badging_event < ValueError",
        error="ValueError",
    )


def _second_site() -> None:
    site = Site.objects.create(domain=SECOND, name="Example College")
    base_url = f"https://{SECOND}/"
    IssuerProfile.objects.create(site=site, name=site.name, url="https://college.example", base_url=base_url)


def _fill_catalog() -> None:
    site = Site.objects.order_by("pk")[0]
    for number, (key, title) in enumerate(TITLES.items()):
        course = _catalog("Course").objects.create(
            site=site, uuid=UUID(int=0x5C0 + number), key=key.removeprefix("course-v1:").rpartition("+")[0], title=title
        )
        _catalog("CourseRun").objects.create(
            course=course,
            uuid=UUID(int=0x5D0 + number),
            key=key,
            title_override=f"{title}, 2026",
            start_date=datetime(2026, 9, 1, tzinfo=UTC),
        )


def _catalog(name: str) -> Any:
    label = "catalog"  # not a literal: mypy knows no such app
    return apps.get_model(label, name)
