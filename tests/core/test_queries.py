"""The cost of an event in SQL queries, which must not grow with the number of templates."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badges_plugin.api import Outcome
from badges_plugin.models import BadgeRequirement, BadgeTemplate, DataRule
from tests.factories import PASSING, make_template, make_user, requires_course, send_passing

NOTHING, REPEAT, AWARD = 2, 3, 20
SIZES = (1, 100, 1000)


def active_templates(count: int) -> None:
    """Set up templates for other courses, in few statements, and compile the ruleset."""
    site = make_template().site
    templates = [BadgeTemplate(site=site, name=f"Badge {n}", is_active=True) for n in range(count)]
    BadgeTemplate.objects.bulk_create(templates)
    stored = list(BadgeTemplate.objects.filter(name__in=[template.name for template in templates]))
    BadgeRequirement.objects.bulk_create([BadgeRequirement(template=item, event_type=PASSING) for item in stored])
    rules = [
        DataRule(requirement=item, key_path="course.course_key", operator="eq", value=f"course-v1:Demo+C{item.pk}+1")
        for item in BadgeRequirement.objects.all()
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
    measured: dict[int, tuple[int, int, int]] = {}
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
        )
    assert len(set(measured.values())) == 1, measured
    nothing, award, repeat = measured[SIZES[0]]
    assert nothing <= NOTHING
    assert repeat <= REPEAT
    assert award <= AWARD


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
