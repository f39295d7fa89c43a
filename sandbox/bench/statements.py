"""Count the statements that awards cost on this server. Needs Django.

The beginning and the end of a transaction, and savepoints, are not counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from django.db import connection
from django.test.utils import CaptureQueriesContext
from openedx_events.learning.data import UserData, UserPersonalData

from badges_plugin import api
from badges_plugin.models import BadgeAward
from badges_plugin.ruleset import current_ruleset
from sandbox.bench.badges import add_templates, credly_badge, deactivate, have_other_templates, own_badge
from sandbox.bench.consumers import Learner, learners
from sandbox.bench.goals import Measured
from sandbox.bench.scene import Scene
from sandbox.drills.badges import PASSING, next_metadata, passing

BATCH = 100
MANY = 500
_TRANSACTION = re.compile(r"\s*(BEGIN|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE SAVEPOINT)\b", re.IGNORECASE)


def measure(scene: Scene) -> Iterator[Measured]:
    """Count for a batch of new learners, for one of them, and for an event that awards many badges."""
    have_other_templates()
    for name, badge in (("own", own_badge()), ("credly", credly_badge(scene.stage))):
        _count(learners(1), badge.course)  # what is read once for a process
        single = _count(learners(1), badge.course)
        batch = _count(learners(BATCH), badge.course)
        yield Measured(f"{name} batch", len(batch) / BATCH, f"{len(batch)} statements")
        yield Measured(f"{name} single", len(single), _kinds(single))
    course = "course-v1:Bench+Many+1"
    templates = add_templates("many", scene.size(MANY, MANY // 10), requirements=1, course=course)
    try:
        statements = _count(learners(1), course)
        awards = BadgeAward.objects.filter(progress__template__in=templates).count()
        if awards != len(templates):
            raise RuntimeError(f"{awards} awards, not {len(templates)}")
        yield Measured("many", len(statements), f"{awards} awards by one event")
    finally:
        deactivate(templates)


def _count(people: Sequence[Learner], course: str) -> list[str]:
    """Return the statements by which these learners earn what the course gives."""
    events = []
    for learner in people:
        data = passing(user_data(learner), course, is_passing=True)
        events.append(api.read_event(PASSING, next_metadata(), {"course_passing_status": data}))
    current_ruleset()
    with CaptureQueriesContext(connection) as queries:
        outcomes = api.process_batch(events)
    if set(outcomes) != {api.Outcome.APPLIED}:
        raise RuntimeError(f"Not everything was applied: {set(outcomes)}")
    return [query["sql"] for query in queries if not _TRANSACTION.match(query["sql"])]


def user_data(learner: Learner) -> UserData:
    """Return the learner as events carry them."""
    name = learner.username
    return UserData(
        id=learner.id,
        is_active=True,
        pii=UserPersonalData(username=name, email=f"{name}@example.org", name=name),
    )


def _kinds(statements: Sequence[str]) -> str:
    """Return how many of them read and write."""
    reads = sum(statement.lstrip("( ").upper().startswith("SELECT") for statement in statements)
    return f"{reads} that read, {len(statements) - reads} that write"
