"""Random events of one learner in batches of random sizes: the same awards, revocations and public events as alone."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from badges_plugin import api
from badges_plugin.api import BadgingEvent
from badges_plugin.models import BadgeAward, BadgeTemplate
from tests.core.conftest import Heard
from tests.factories import (
    PASSING,
    at,
    make_template,
    make_user,
    metadata,
    needs_badge,
    passing_data,
    penalizes_failing,
    requires_course,
    user_data,
)

# What depends on other badges hears of them after the commit of each transaction of a batch.
pytestmark = pytest.mark.django_db(transaction=True)

COURSES = [f"course-v1:Random+{number}+1" for number in range(4)]


@dataclass(frozen=True)
class Said:
    """What one event says of one of the learners, at which minute."""

    learner: int
    course: str
    is_passing: bool
    minute: int


def requires_passing(template: BadgeTemplate, *courses: str, group: str = "", **asks: Any) -> None:
    for course in courses:
        penalizes_failing(template, requires_course(template, course, group=group, **asks), course)


@pytest.fixture
def templates() -> list[BadgeTemplate]:
    """Badges of one course, of a choice, of a count, and two that need others."""
    one, choice, counted, needing, chained = (make_template() for _ in range(5))
    requires_passing(one, COURSES[0])
    requires_passing(choice, COURSES[0], COURSES[1], group="either")
    requires_passing(counted, COURSES[3], count=2)
    needs_badge(needing, one)
    requires_passing(needing, COURSES[2])
    needs_badge(chained, needing)
    requires_passing(chained, COURSES[1])
    return [one, choice, counted, needing, chained]


def some_events(chance: random.Random, learners: int) -> list[Said]:
    minutes = chance.sample(range(1000), 24)
    if chance.random() < 0.5:
        minutes.sort()
    events = [
        Said(chance.randrange(learners), chance.choice(COURSES), chance.random() < 0.7, minute) for minute in minutes
    ]
    return [*events, *chance.sample(events, 3)]  # some are delivered twice


def told_of(events: Sequence[Said], users: Sequence[Any], ids: dict[Said, uuid.UUID]) -> list[BadgingEvent]:
    return [
        api.read_event(
            PASSING,
            metadata(time=at(said.minute), event_id=ids[said]),
            {
                "course_passing_status": passing_data(
                    user_data(users[said.learner]), said.course, is_passing=said.is_passing
                )
            },
        )
        for said in events
    ]


def in_parts(events: list[BadgingEvent], chance: random.Random) -> Iterator[list[BadgingEvent]]:
    while events:
        size = chance.choice([1, 2, 3, 5, 12, 30])
        yield events[:size]
        events = events[size:]


def ends(user: Any) -> list[tuple[Any, ...]]:
    awards = BadgeAward.objects.filter(progress__user=user).order_by("progress__template", "number")
    return [
        (award.progress.template_id, award.number, award.awarded_at, award.revoked_at, award.ended_by, made_by(award))
        for award in awards.select_related("progress")
    ]


def made_by(award: BadgeAward) -> list[tuple[str, str]]:
    """Return the events of an award; those about badges have other ids for each learner."""
    return [(each["time"], each["id"] if each["type"] == PASSING else each["type"]) for each in award.events]


def published(heard: Heard) -> dict[tuple[int | None, str], list[str]]:
    said = defaultdict(list)
    for kind, badge in heard.public:
        said[badge.user.id, badge.template.uuid].append(kind)
    return said


def test_random_events_in_random_batches_end_as_one_by_one(templates: list[BadgeTemplate], heard: Heard) -> None:
    for seed in range(6):
        chance = random.Random(seed)  # noqa: S311 - no secret
        events = some_events(chance, 3)
        ids = {said: uuid.UUID(int=chance.getrandbits(128), version=4) for said in events}
        alone, together = ([make_user() for _ in range(3)] for _ in range(2))
        for event in told_of(events, alone, ids):
            api.process_event(event)
        for part in in_parts(told_of(events, together, ids), chance):
            api.process_batch(part)
        said = published(heard)
        for first, second in zip(alone, together, strict=True):
            assert ends(second) == ends(first), f"seed {seed}"
            for template in templates:
                of_both = [said[int(user.lms_user_id or 0), str(template.uuid)] for user in (first, second)]
                assert of_both[0] == of_both[1], f"seed {seed}, template {template.pk}"
