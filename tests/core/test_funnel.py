"""How far learners get with a badge, and what takes them longest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badges_plugin import api, reading
from badges_plugin.models import BadgeAward, BadgeTemplate
from badges_plugin.reading import funnel
from tests.factories import make_template, make_user, penalizes_failing, requires_course, send_passing
from tests.limits import Lower

pytestmark = pytest.mark.django_db
ALGEBRA, LOGIC, PROOF = (f"course-v1:NU+{name}+1" for name in ("ALG", "LOG", "PRF"))
DAY = 1440
MODULE = "badges_plugin.reading.funnel"


@pytest.fixture
def template() -> BadgeTemplate:
    """Algebra, and one of two others."""
    template = make_template()
    penalizes_failing(template, requires_course(template, ALGEBRA), ALGEBRA)
    for course in (LOGIC, PROOF):
        requires_course(template, course, group="one of two")
    return template


def learner(**passed: float) -> Any:
    """Somebody who passed courses, given by the first letters of their names, so many days after the tests' epoch."""
    user = make_user()
    courses = {"alg": ALGEBRA, "log": LOGIC, "prf": PROOF}
    for name, day in passed.items():
        send_passing(user, courses[name], minute=day * DAY)
    return user


def test_each_step_contains_those_who_went_further(template: BadgeTemplate) -> None:
    learner(alg=0)
    learner(log=0)
    learner(alg=0, prf=3)
    lost = learner(alg=0, log=1)
    send_passing(lost, ALGEBRA, is_passing=False, minute=2 * DAY)
    revoked = learner(alg=0, log=1)
    api.revoke_award(BadgeAward.objects.get(progress__user=revoked), reason="By mistake.")
    nothing = make_user()
    send_passing(nothing, ALGEBRA, is_passing=False)
    found = funnel(template.pk)
    assert (found.learners, found.is_sample) == (6, False)
    assert found.reached == (6, 5, 3), "who ever had it went all the way"
    assert (found.held, found.accepted) == (1, None)


def test_the_slowest_requirement_comes_first(template: BadgeTemplate) -> None:
    for days in (10, 20, 90):
        learner(alg=0, log=days)
    learner(log=0, alg=1)
    learner(prf=0)
    learner(alg=0)
    rows = {pace.requirement_id: pace for pace in funnel(template.pk).paces}
    algebra, logic, proof = (rows[each.pk] for each in template.requirements.order_by("pk"))
    assert list(rows.values()) == [logic, algebra, proof]
    assert (logic.learners, logic.usual, logic.waiting) == (4, timedelta(days=15), 1)
    assert (algebra.learners, algebra.usual, algebra.waiting) == (5, timedelta(0), 1)
    # Who has done one of two does not wait for the other.
    assert (proof.learners, proof.usual, proof.waiting) == (1, timedelta(0), 1)


def test_in_order_nobody_waits_for_what_comes_later() -> None:
    template = make_template(in_order=True)
    for position, course in enumerate((ALGEBRA, LOGIC), start=1):
        requires_course(template, course, position=position)
    learner(log=0)
    learner(alg=1)
    waiting = {pace.sentence: pace.waiting for pace in funnel(template.pk).paces}
    assert list(waiting.values()) == [1, 1]
    assert funnel(template.pk).reached == (2, 1, 0)


def test_a_badge_without_requirements_or_learners() -> None:
    found = funnel(make_template(is_active=False).pk)
    assert (found.learners, found.reached, found.paces) == (0, (0,), ())


@pytest.fixture
def crowd(template: BadgeTemplate) -> None:
    other = make_template()
    requires_course(other, ALGEBRA)
    for number in range(20):
        learner(**({"alg": 0, "log": 1} if number % 2 else {"alg": 0}))


@pytest.mark.usefixtures("crowd")
def test_of_many_learners_some_from_each_part_are_looked_at(template: BadgeTemplate, lower: Lower) -> None:
    everybody = funnel(template.pk)
    lower(MODULE, SAMPLE=8)
    lower(MODULE, _PARTS=4)
    found = funnel(template.pk)
    assert (found.learners, found.is_sample) == (8, True)
    assert found.reached == (8, 8, 4)
    assert everybody.reached == (20, 20, 10)


@pytest.mark.usefixtures("crowd")
def test_no_more_is_read_than_there_is_time_for(template: BadgeTemplate, lower: Lower) -> None:
    lower(MODULE, MOST_REGISTERS=7)
    found = funnel(template.pk)
    assert found.is_sample
    assert found.learners == 5
    assert found.reached == (5, 5, 2), "nobody is looked at whose deeds were read in part"


def test_the_queries_do_not_grow(template: BadgeTemplate) -> None:
    def number() -> int:
        with CaptureQueriesContext(connection) as captured:
            funnel(template.pk)
        return len(captured)

    learner(alg=0, log=1)
    before = number()
    for _ in range(5):
        learner(alg=0, log=1)
    assert number() == before
    assert reading.funnel is funnel
