"""Batches of learners, and the limits of criteria: what is refused, told and not kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badges_plugin import api
from badges_plugin.api import Outcome
from badges_plugin.data import LearnerData
from badges_plugin.exceptions import DeferredEvent, IgnoredEvent
from badges_plugin.host import User
from badges_plugin.models import Fulfillment, RequirementGroup
from badges_plugin.processing import learners, registers
from tests.core.conftest import Heard
from tests.core.test_criteria import BY_COURSE, PASSED, any_of_five, course, passing
from tests.factories import at, make_template, make_user, requires, requires_course, send_passing
from tests.limits import Lower

pytestmark = pytest.mark.django_db


def test_a_batch_says_of_each_event_what_became_of_it(heard: Heard) -> None:
    template, users = make_template(), [make_user() for _ in range(3)]
    any_of_five(template, count=2)
    again = passing(users[0], "A", 1)
    api.process_event(again)
    unknown = passing(users[0], "B", 2)
    unknown = replace(unknown, learner=LearnerData(4711, "", "", "", is_active=True))
    events = [
        again,
        *(passing(user, name, 3) for user in users[1:] for name in "BA"),
        passing(users[0], "X", 2),
        unknown,
    ]
    *outcomes, refused = api.process_batch(events)
    assert outcomes == [Outcome.REPEATED, *[Outcome.APPLIED] * 4, Outcome.UNMATCHED]
    assert isinstance(refused, DeferredEvent)
    assert {award.user for award in heard.awarded} == set(users[1:])
    assert api.process_batch([]) == []


def test_a_learner_who_is_retired_meanwhile_does_not_touch_the_others_of_a_batch(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [make_user() for _ in range(3)]
    any_of_five(make_template(), count=1)
    lock_all = learners.lock_all

    def retire_first(pks: Iterable[int], **options: Any) -> dict[int, Any]:
        User.objects.filter(pk=users[1].pk).update(username="retired__user_1", email="retired__user_1@example.org")
        return lock_all(pks, **options)

    monkeypatch.setattr(learners, "lock_all", retire_first)
    outcomes = api.process_batch(passing(user, "A", 1) for user in users)
    assert [type(outcome) for outcome in outcomes] == [Outcome, IgnoredEvent, Outcome]
    assert {award.user for award in heard.awarded} == {users[0], users[2]}


def test_users_of_a_batch_are_locked_in_the_order_of_their_keys() -> None:
    users = [make_user() for _ in range(4)]
    any_of_five(make_template())
    with CaptureQueriesContext(connection) as queries:
        api.process_batch(passing(user, "A", 1) for user in reversed(users))
    table = connection.ops.quote_name(User._meta.db_table)
    keys = ", ".join(str(user.pk) for user in users)
    locks = [
        query["sql"] for query in queries if f"{table}.{connection.ops.quote_name('id')} IN ({keys})" in query["sql"]
    ]
    assert len(locks) == 1
    assert "ORDER BY" in locks[0]


@pytest.mark.parametrize(
    ("asks", "error"),
    [
        ({"count": 0}, "between 1 and 1000"),
        ({"count": 1001}, "between 1 and 1000"),
        ({"count": 2, "counted_by": "event.time"}, "differs in every event"),
        ({"count": 2, "counted_by": "course.nothing"}, "cannot be counted"),
        ({"count": 2, "counted_by": "user.pii.email"}, "cannot be counted"),
    ],
)
def test_what_cannot_be_counted_is_refused(asks: dict[str, Any], error: str) -> None:
    with pytest.raises(ValidationError, match=error):
        requires(make_template(), **asks)


def test_a_group_that_needs_nothing_is_refused() -> None:
    group = RequirementGroup.named(make_template(), "either")
    group.needed = 0
    with pytest.raises(ValidationError, match="at least one"):
        group.save()


def test_groups_and_counts_that_nobody_can_fulfill_are_told() -> None:
    template = make_template(is_active=False)
    requires_course(template, group="either")
    requires(template, (BY_COURSE, "in", f"{course('A')}, {course('B')}"), count=3, counted_by=BY_COURSE)
    RequirementGroup.objects.update(needed=2)
    (problem,) = api.activation_problems(template)
    assert problem == "The group “either” asks for 2 requirements and has only 1."
    assert any("allow 2 values of course.course_key, not 3" in text for text in api.activation_warnings(template))


def test_no_more_values_are_kept_than_the_limit(lower: Lower) -> None:
    template, user = make_template(), make_user()
    requires(template, PASSED, count=2, counted_by=BY_COURSE)
    lower(registers, MAX_VALUES=3)
    for minute, name in enumerate("ABCDE"):
        send_passing(user, course(name), minute=minute)
    assert sorted(Fulfillment.objects.values_list("value", flat=True)) == [course(name) for name in "CDE"]
    assert send_passing(user, course("A"), minute=0) is Outcome.REPEATED


def test_what_can_no_longer_be_counted_never_applies(settings: Any) -> None:
    requires(make_template(), PASSED, count=2, counted_by=BY_COURSE)
    settings.BADGES_CONFIG = {"rules": {"ignored_keypaths": [BY_COURSE]}}
    assert send_passing(make_user()) is Outcome.UNMATCHED


def test_an_older_event_tells_since_when_it_holds(heard: Heard) -> None:
    requires_course(make_template(), course("A"))
    user = make_user()
    for minute in (5, 2, 3, 7):
        send_passing(user, course("A"), minute=minute)
    assert Fulfillment.objects.get().since == at(2)
    assert [award.awarded_at for award in heard.awarded] == [at(5)]


def test_an_event_without_the_counted_value_does_not_match() -> None:
    requires(make_template(), PASSED, count=2, counted_by="course.display_name")
    assert send_passing(make_user()) is Outcome.UNMATCHED
