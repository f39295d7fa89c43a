"""The cost of an event in SQL queries, which must not grow with the number of templates."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badges_plugin.api import BadgingEvent, Outcome, process_history, read_event
from badges_plugin.models import BadgeAward, BadgeRequirement, BadgeTemplate, DataRule
from tests.factories import (
    PASSING,
    at,
    make_template,
    make_user,
    metadata,
    passing_data,
    requires,
    requires_course,
    send_passing,
    user_data,
)

NOTHING, REPEAT, AWARD, NEWER = 1, 3, 15, 11
"""At most, with the savepoint of a test's transaction."""
# PostgreSQL cannot lock what badges know of a learner together with the learner.
MORE = int(connection.features.has_select_for_no_key_update)
SIZES = (1, 100, 1000)


def active_templates(count: int) -> None:
    """Set up templates for other courses, in few statements, and compile the ruleset."""
    site = make_template().site
    templates = [BadgeTemplate(site=site, name=f"Badge {n}", is_active=True) for n in range(count)]
    BadgeTemplate.objects.bulk_create(templates)
    stored = list(BadgeTemplate.objects.filter(name__in=[template.name for template in templates]).order_by("pk"))
    BadgeRequirement.objects.bulk_create([BadgeRequirement(template=item, event_type=PASSING) for item in stored])
    rules = [
        DataRule(requirement=item, key_path="course.course_key", operator="eq", value=f"course-v1:Demo+C{item.pk}+1")
        for item in BadgeRequirement.objects.order_by("pk")
    ]
    DataRule.objects.bulk_create(rules)


def count(user: Any, course: str, expected: Outcome, **options: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert send_passing(user, course, **options) is expected
    return len(queries)


@pytest.mark.django_db
def test_queries_per_event_are_the_same_with_1_100_and_1000_active_templates() -> None:
    measured: dict[int, tuple[int, ...]] = {}
    ContentType.objects.get_for_model(BadgeTemplate)
    for size in SIZES:
        active_templates(size)
        course = f"course-v1:Award+{size}+1"
        requires_course(make_template(), course)
        send_passing(make_user(), "course-v1:Warm+Up+1")
        user, event_id = make_user(), uuid.uuid1()
        measured[size] = (
            count(user, "course-v1:No+Badge+1", Outcome.UNMATCHED),
            count(user, course, Outcome.APPLIED, event_id=event_id),
            count(user, course, Outcome.REPEATED, event_id=event_id),
            # The commonest event that matches: the LMS says the same again, at every new grade.
            count(user, course, Outcome.APPLIED, minute=1),
        )
    assert len(set(measured.values())) == 1, measured
    nothing, award, repeat, newer = measured[SIZES[0]]
    assert nothing <= NOTHING
    assert repeat <= REPEAT
    assert award <= AWARD
    assert newer <= NEWER + MORE


@pytest.mark.django_db
@pytest.mark.parametrize("counted_by", ["", "course.course_key"])
def test_queries_per_event_do_not_grow_with_the_count(counted_by: str) -> None:
    measured: dict[int, tuple[int, ...]] = {}
    ContentType.objects.get_for_model(BadgeTemplate)
    send_passing(make_user(), "course-v1:Warm+Up+1")
    for number in (10, 100):
        BadgeTemplate.objects.update(is_active=False)
        requires(make_template(), ("is_passing", "eq", "true"), count=number, counted_by=counted_by)
        user, courses = make_user(), [f"course-v1:Count+{each}+1" for each in range(number + 2)]
        process_history(passing(user, course, minute) for minute, course in enumerate(courses[: number - 1]))
        event_id = uuid.uuid1()
        measured[number] = (
            count(user, courses[-3], Outcome.APPLIED, minute=200, event_id=event_id),
            count(user, courses[-3], Outcome.REPEATED, minute=200, event_id=event_id),
            count(user, courses[-3], Outcome.APPLIED, minute=201),
            count(user, courses[-2], Outcome.APPLIED, minute=202),
        )
        assert BadgeAward.objects.filter(progress__user=user).count() == 1
    assert len(set(measured.values())) == 1, measured
    award, repeat, newer, _another = measured[10]
    assert (award <= AWARD + MORE, repeat <= REPEAT, newer <= NEWER + MORE + 1) == (True, True, True), measured


def passing(user: Any, course: str, minute: float) -> BadgingEvent:
    stamp = metadata(time=at(minute))
    return read_event(PASSING, stamp, {"course_passing_status": passing_data(user_data(user), course)})


@pytest.mark.django_db
def test_the_ruleset_is_compiled_once_per_change_of_configuration() -> None:
    template = make_template()
    requires_course(template)
    user = make_user()
    send_passing(user, "course-v1:No+Badge+1")
    unchanged = count(user, "course-v1:No+Badge+1", Outcome.UNMATCHED)
    requires_course(template, "course-v1:Another+Course+1")
    after_change = count(user, "course-v1:No+Badge+1", Outcome.UNMATCHED)
    again = count(user, "course-v1:No+Badge+1", Outcome.UNMATCHED)
    assert after_change > unchanged == again
