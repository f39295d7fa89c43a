"""Staff change the configuration while an event is on its way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connection
from django.db.models.deletion import Collector
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

from badges_plugin import api
from badges_plugin.api import Outcome
from badges_plugin.consumers.applying import Applier
from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.message import DecodedEvent, Message
from badges_plugin.consumers.running import StopRequest
from badges_plugin.models import BadgeAward, FailedEvent, Fulfillment, RulesetVersion
from tests.factories import (
    COURSE,
    PASSING,
    at,
    make_template,
    make_user,
    metadata,
    passing_data,
    requires_course,
    send_passing,
    user_data,
)

pytestmark = pytest.mark.django_db(transaction=True)


class BeforeTheLearnerIsFound:
    """Does something once, between the reading of the ruleset and the transaction, as another process would."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act: Callable[[], Any] | None = act

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self._act is not None and "lms_user_id" in sql and sql.startswith("SELECT"):
            act, self._act = self._act, None
            act()
        return execute(sql, params, many, context)


def test_a_requirement_that_is_deleted_meanwhile_does_not_count() -> None:
    template, user = make_template(), make_user()
    deleted = requires_course(template, group="either")
    kept = requires_course(template, group="either")
    with connection.execute_wrapper(BeforeTheLearnerIsFound(deleted.delete)):
        assert send_passing(user) is Outcome.APPLIED
    assert Fulfillment.objects.get().requirement == kept
    assert BadgeAward.objects.count() == 1


def test_an_event_whose_only_requirement_is_deleted_meanwhile_means_nothing() -> None:
    template, user = make_template(), make_user()
    deleted = requires_course(template)
    requires_course(template, "course-v1:Demo+Other+1")
    with connection.execute_wrapper(BeforeTheLearnerIsFound(deleted.delete)):
        assert send_passing(user) is Outcome.UNMATCHED
    assert not Fulfillment.objects.exists()


def test_a_violation_that_no_change_of_configuration_explains_is_passed_on() -> None:
    template, user = make_template(), make_user()
    requires_course(template)

    def violate() -> None:
        raise IntegrityError("not ours")

    with connection.execute_wrapper(BeforeTheLearnerIsFound(violate)), pytest.raises(IntegrityError, match="not ours"):
        send_passing(user)


def test_a_template_that_is_deactivated_meanwhile_awards_nothing() -> None:
    template, user = make_template(), make_user()
    requires_course(template)
    with connection.execute_wrapper(BeforeTheLearnerIsFound(lambda: api.deactivate_template(template))):
        assert send_passing(user) is Outcome.UNMATCHED
    assert not BadgeAward.objects.exists()


def test_a_requirement_that_is_added_meanwhile_counts() -> None:
    template, user = make_template(), make_user()
    requires_course(template)
    with connection.execute_wrapper(
        BeforeTheLearnerIsFound(lambda: requires_course(template, "course-v1:Demo+Other+1"))
    ):
        assert send_passing(user) is Outcome.APPLIED
    assert not BadgeAward.objects.exists()


def test_a_learner_who_is_deleted_meanwhile_is_created_anew() -> None:
    template, user = make_template(), make_user()
    requires_course(template)

    class AfterTheLearnerIsFound(BeforeTheLearnerIsFound):
        def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            result = execute(sql, params, many, context)
            return super().__call__(lambda *ignored: result, sql, params, many, context)

    with connection.execute_wrapper(AfterTheLearnerIsFound(user.delete)):
        assert send_passing(user_data(user)) is Outcome.APPLIED
    assert BadgeAward.objects.get().user.pk != user.pk


def test_a_consumer_waits_until_a_synchronization_of_many_templates_is_through() -> None:
    requires_course(make_template())
    changes = iter(range(12))  # more than the pipeline's own attempts

    def synchronizing(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT") and "lms_user_id" in sql and next(changes, None) is not None:
            RulesetVersion.renew()
        return execute(sql, params, many, context)

    said = {"course_passing_status": passing_data(user_data(make_user()), COURSE, is_passing=True)}
    event = DecodedEvent(COURSE_PASSING_STATUS_UPDATED, metadata(PASSING, time=at(1)), said)
    message = Message("kafka", "topic", "group", "0:1", "", PASSING, {}, b"", decode=lambda: event)
    applier = Applier(ConsumerConfig(max_backoff=0.01, kafka={}), StopRequest())
    with connection.execute_wrapper(synchronizing):
        assert applier.apply_or_store([message]) == [True]
    assert BadgeAward.objects.count() == 1
    assert not FailedEvent.objects.exists()


def test_the_host_deletes_its_own_rows_in_one_statement() -> None:
    """A receiver of ours for every model would make Django load each row first."""
    collector = Collector(using="default")
    assert collector.can_fast_delete(Session.objects.all())
