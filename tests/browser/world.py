"""The world that the browser looks at: a site with badges, and learners in every state. Made once for all tests.

Everything that a page shows is the same in each run, times and UUIDs included, so that pictures of it are comparable.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.sites.models import Site
from django.db.models.signals import post_init

from badges_plugin.distribution.credly.data import BadgeState
from badges_plugin.distribution.credly.models import CredlyBadge, CredlyBadgeTemplate, CredlyOrganization
from badges_plugin.distribution.open_badges.api import SignedDocument, documents_of
from badges_plugin.distribution.open_badges.models import SignedBadge
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.web.models import Collection
from tests.distribution.worlds import deliver, let_time_pass
from tests.factories import at, make_template, make_user, penalizes_failing, requires_course, send_passing
from tests.web.pages_world import publish

DOMAIN = "badges.example.org"
"""That of the site, which stands in all links that are shared. It is nowhere on the network."""
PICTURES = "https://images.example.org/"
"""Where a provider would have its pictures."""
PASSWORD = "correct horse"
TODAY = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
EARLIER = datetime(2026, 1, 5, tzinfo=UTC)

STATISTICS, PYTHON, LOGIC, ALGEBRA, ETHICS, FIRST_AID, LONG = (
    f"course-v1:Example+{name}+2026"
    for name in ("Statistics", "Python", "Logic", "Algebra", "Ethics", "FirstAid", "History")
)
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


class Calendar:
    """Stands in for ``django.utils.timezone.now``: it is always noon of a day that only a test changes."""

    def __init__(self, today: datetime) -> None:
        self.today = today

    def __call__(self) -> datetime:
        return self.today


@dataclass(frozen=True)
class World:
    """Learners, their badges by a word for what has become of them, and badges that can be earned.

    ``ada`` has badges in every state, ``bob`` has none, ``cleo`` and ``dora`` earn one when a test asks, ``long`` has a
    name and a badge without a space to break at.
    """

    ada: Any
    bob: Any
    cleo: Any
    dora: Any
    long: Any
    signed: dict[str, SignedDocument]
    statistics: BadgeTemplate
    reasoning: BadgeTemplate
    collection: Collection


def make_world(calendar: Calendar) -> World:
    """Make the world; ``calendar`` is the time that the site goes by."""
    calendar.today = EARLIER
    with _numbered_badges():
        site = _site()
        statistics = _badge(site, 1, "Statistics", "Can test a claim with data.", STATISTICS, valid_days=3 * 365)
        _badge(site, 2, "Data analysis", "Can clean, combine and chart real data.", PYTHON)
        reasoning = _badge(site, 3, "Reasoning", "Can build an argument and find the gap in one.", STATISTICS, LOGIC)
        _badge(site, 4, "Algebra mentor", "Has helped others with algebra.", ALGEBRA)
        _badge(site, 5, "First aid", "Can help until the ambulance comes.", FIRST_AID, valid_days=100)
        _badge(site, 6, LONG_WORD, f"{LONG_WORD} {LONG_WORD}", LONG)
        _credly_badge(site)
        ada = _learner(7, "ada", "Ada Lovelace")
        long = _learner(10, "long", f"{LONG_WORD} {LONG_WORD}")
        for minute, course in enumerate((FIRST_AID, STATISTICS, PYTHON, ALGEBRA, ETHICS)):
            send_passing(ada, course, minute=minute)
        send_passing(long, LONG, minute=9)
        mine = signed_for(ada)
        signed = {
            "expired": mine["First aid"],
            "public": mine["Statistics"],
            "private": mine["Data analysis"],
            "revoked": mine["Algebra mentor"],
            "long": signed_for(long)[LONG_WORD],
        }
        send_passing(ada, ALGEBRA, is_passing=False, minute=60)
        work()
    _accept_later()
    for name in ("public", "expired", "revoked", "long"):
        publish(signed[name])
    collection = Collection.objects.create(
        user=ada,
        uuid=UUID(int=0xC01),
        title="Data badges of Ada",
        introduction="What I have learned about data, and can prove.",
        name_shown="full",
        published_at=EARLIER,
    )
    calendar.today = TODAY
    return World(
        ada=ada,
        bob=_learner(8, "bob", "Bob Ó Briain"),
        cleo=_learner(9, "cleo", "Cleo Nova"),
        dora=_learner(11, "dora", "Dora Day"),
        long=long,
        signed=signed,
        statistics=statistics,
        reasoning=reasoning,
        collection=collection,
    )


def work() -> None:
    """Let the worker do all that there is. What became due by the real clock is due by that of the pages."""
    let_time_pass()
    deliver()


def signed_for(user: Any) -> dict[str, SignedDocument]:
    """Let the worker sign what there is to sign, and return the badges of a learner by their names."""
    work()
    awards = {award.pk: award.progress.template.name for award in BadgeAward.objects.filter(progress__user=user)}
    return {awards[key]: document for key, document in documents_of(list(awards)).items()}


def _site() -> Site:
    Site.objects.filter(pk=settings.SITE_ID).update(domain=DOMAIN, name="Example University")
    Site.objects.clear_cache()
    return Site.objects.get(pk=settings.SITE_ID)


def _badge(site: Site, number: int, name: str, description: str, *courses: str, **changes: Any) -> BadgeTemplate:
    """Save a badge of the site that asks for courses; failing the first loses it."""
    template = make_template(site=site, uuid=UUID(int=number), name=name, description=description, icon="", **changes)
    rows = [requires_course(template, course) for course in courses]
    penalizes_failing(template, rows[0], courses[0])
    return template


def _credly_badge(site: Site) -> None:
    organization = CredlyOrganization.objects.create(uuid=UUID(int=0xC0), name="Example University")
    template = CredlyBadgeTemplate.objects.create(
        site=site,
        uuid=UUID(int=0xC1),
        name="Ethics of data",
        organization=organization,
        state="active",
        is_active=True,
        icon=f"{PICTURES}ethics.svg",
    )
    requires_course(template, ETHICS)


def _accept_later() -> None:
    """As if Credly had issued its badges, and nobody had accepted them."""
    CredlyBadge.objects.update(
        state=BadgeState.PENDING, state_time=at(5), url="https://credly.example/go", external_id=UUID(int=0xC2)
    )


def _learner(number: int, username: str, name: str) -> Any:
    user = make_user(lms_user_id=number, username=username, full_name=name)
    user.set_password(PASSWORD)
    user.save()
    return user


@contextmanager
def _numbered_badges() -> Iterator[None]:
    """Number the identifiers of badges that are signed meanwhile: their links are the same in each run."""
    numbers = count(0xB1)

    def number(sender: type, instance: Any, **kwargs: Any) -> None:
        if instance.pk is None:
            instance.uuid = UUID(int=next(numbers))

    post_init.connect(number, sender=SignedBadge)
    try:
        yield
    finally:
        post_init.disconnect(number, sender=SignedBadge)
