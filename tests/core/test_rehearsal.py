"""What an event would do is what it does: each event of a story is tried, then applied, and both must agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badges_plugin import api
from badges_plugin.api import Effect
from badges_plugin.models import BadgeAward, BadgeTemplate, Learner
from tests.factories import (
    COURSE,
    PASSING,
    at,
    make_template,
    make_user,
    metadata,
    needs_badge,
    passing_data,
    penalizes_failing,
    requires_course,
    send_passing,
    user_data,
)  # fmt: skip

pytestmark = pytest.mark.django_db
OTHER = "course-v1:Demo+Other+1"


def event(user: Any, course: str = COURSE, *, is_passing: bool = True, time: Any = None) -> api.BadgingEvent:
    data = {"course_passing_status": passing_data(user_data(user), course, is_passing=is_passing)}
    return api.read_event(PASSING, metadata(time=time), data)


@dataclass(frozen=True)
class Sent:
    """An event of a story: which course, whether it is passed, and when; and what it must do."""

    course: str
    is_passing: bool
    minute: float
    effect: Effect | None


def both(**changes: Any) -> BadgeTemplate:
    """Return a badge for passing two courses, which failing the first one takes away."""
    template = make_template(**changes)
    penalizes_failing(template, requires_course(template))
    requires_course(template, OTHER)
    return template


def either() -> BadgeTemplate:
    """Return a badge for one of two courses, either of which failing takes away."""
    template = make_template()
    for course in (COURSE, OTHER):
        penalizes_failing(template, requires_course(template, course, group="one"), course)
    return template


STORIES: dict[str, tuple[Callable[[], BadgeTemplate], list[Sent]]] = {
    "the usual one": (
        both,
        [
            Sent("course-v1:Demo+Third+1", True, 0, None),
            Sent(COURSE, True, 1, Effect.ADDS),
            Sent(OTHER, True, 2, Effect.AWARDS),
            Sent(OTHER, True, 3, Effect.KEEPS),
            Sent(COURSE, False, 4, Effect.REVOKES),
            Sent(COURSE, True, 2, Effect.NOTHING),
            Sent(COURSE, True, 5, Effect.AWARDS),
        ],
    ),
    "once only": (
        lambda: both(can_be_reawarded=False),
        [
            Sent(COURSE, True, 1, Effect.ADDS),
            Sent(OTHER, True, 2, Effect.AWARDS),
            Sent(COURSE, False, 3, Effect.REVOKES),
            Sent(COURSE, True, 4, Effect.STAYS_AWAY),
        ],
    ),
    "a penalty that the other course outweighs": (
        either,
        [
            Sent(COURSE, False, 1, Effect.TAKES),
            Sent(COURSE, True, 2, Effect.AWARDS),
            Sent(OTHER, True, 3, Effect.KEEPS),
            Sent(COURSE, False, 4, Effect.KEEPS),
            Sent(OTHER, False, 5, Effect.REVOKES),
        ],
    ),
    "too late": (
        lambda: both(valid_days=1),
        [Sent(COURSE, True, 1, Effect.ADDS), Sent(OTHER, True, 2, Effect.EXPIRED)],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_what_would_happen_happens(name: str) -> None:
    make, story = STORIES[name]
    template, ada = make(), make_user()
    for sent in story:
        tried = event(
            ada, sent.course, is_passing=sent.is_passing, time=metadata().time + timedelta(minutes=sent.minute)
        )
        before = _awards()
        rehearsal = api.rehearse(tried)
        assert _awards() == before
        told = [each.effect for each in rehearsal.badges]
        assert told == ([] if sent.effect is None else [sent.effect]), sent
        assert rehearsal.user_id == ada.pk

        api.process_event(tried)
        changes = (sent.effect is Effect.AWARDS, sent.effect is Effect.REVOKES)
        held, ended = _awards()
        assert (held + ended - before[0] - before[1], ended - before[1]) == changes, sent
    if told:
        assert rehearsal.badges[0].template_id == template.pk


def _awards() -> tuple[int, int]:
    awards = BadgeAward.objects
    return awards.filter(revoked_at=None).count(), awards.exclude(revoked_at=None).count()


def test_a_badge_that_staff_revoked_stays_away() -> None:
    template, ada = make_template(), make_user()
    requires_course(template)
    send_passing(ada, minute=1)
    api.revoke_award(BadgeAward.objects.get(), reason="Copied")
    (badge,) = api.rehearse(event(ada, time=at(2))).badges
    assert badge.effect is Effect.STAYS_AWAY


def test_a_draft_is_tried_as_if_it_were_active_and_alone() -> None:
    draft, active = make_template(is_active=False), make_template()
    requirement = requires_course(draft)
    requires_course(active)
    ada = make_user()
    (badge,) = api.rehearse(event(ada), template_ids=[draft.pk]).badges
    assert (badge.template_id, badge.effect, badge.fulfilled) == (draft.pk, Effect.AWARDS, frozenset({requirement.pk}))
    assert [each.template_id for each in api.rehearse(event(ada)).badges] == [active.pk]


def test_a_badge_that_is_needed_counts_as_it_is_held() -> None:
    first, second = make_template(), make_template()
    requires_course(first)
    needs_badge(second, first)
    requires_course(second, OTHER)
    ada = make_user()
    send_passing(ada, minute=1)
    (badge,) = api.rehearse(event(ada, OTHER, time=at(2))).badges
    assert badge.template_id == second.pk


@pytest.mark.parametrize("case", ["future", "retired", "name of somebody else", "nobody known"])
def test_it_says_why_an_event_would_not_be_applied(case: str) -> None:
    requires_course(make_template())
    ada = make_user(username="ada")
    tried = event(ada)
    match case:
        case "future":
            tried = event(ada, time=timezone.now() + timedelta(days=2))
        case "retired":
            ada.username = "retired__user_0123456789"
            ada.save()
        case "name of somebody else":
            stranger = user_data(id=999_999, username="ada")
            tried = api.read_event(PASSING, metadata(), {"course_passing_status": passing_data(stranger)})
        case "nobody known":
            stranger = user_data(id=999_999, username="")
            tried = api.read_event(PASSING, metadata(), {"course_passing_status": passing_data(stranger)})
    rehearsal = api.rehearse(tried)
    assert rehearsal.ignored
    assert not rehearsal.badges
    assert not Learner.objects.exists()
    assert api.rehearse(tried, is_of_nobody=True).ignored == (rehearsal.ignored if case == "future" else "")


def test_the_number_of_queries_does_not_grow_with_the_badges() -> None:
    ada = make_user()
    counts = []
    for _round in range(2):
        for _badge in range(2):
            template = make_template()
            requires_course(template)
            requires_course(template, OTHER)
        send_passing(ada, OTHER)
        api.rehearse(event(ada))
        with CaptureQueriesContext(connection) as queries:
            api.rehearse(event(ada))
        counts.append(len(queries))
    assert counts[0] == counts[1]
