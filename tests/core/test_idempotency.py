"""The same event twice, late, early, in any order: the outcome is what it would have been."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model

from badges_plugin.api import Outcome
from badges_plugin.exceptions import IgnoredEvent
from badges_plugin.models import BadgeAward, BadgeProgress, Fulfillment, Learner
from tests.core.conftest import Heard
from tests.factories import (
    at,
    make_template,
    make_user,
    metadata,
    penalizes_failing,
    requires_course,
    send_passing,
    user_data,
)

pytestmark = pytest.mark.django_db


def test_the_same_event_again_changes_nothing(heard: Heard) -> None:
    template, user = make_template(), make_user()
    requires_course(template)
    event_id = uuid.uuid1()
    assert send_passing(user, event_id=event_id) is Outcome.APPLIED
    assert send_passing(user, event_id=event_id) is Outcome.REPEATED
    assert (Fulfillment.objects.count(), BadgeProgress.objects.count(), len(heard.awarded)) == (1, 1, 1)


def test_an_older_penalty_takes_nothing(heard: Heard) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    send_passing(user, minute=2)
    # It is remembered: what was before it does not count.
    penalty = {"is_passing": False, "minute": 1, "event_id": metadata().id}
    assert [send_passing(user, **penalty) for _ in range(2)] == [Outcome.APPLIED, Outcome.REPEATED]
    assert send_passing(user, minute=0) is Outcome.REPEATED
    assert Fulfillment.objects.get().since == at(2)
    assert heard.revoked == []


def test_a_penalty_is_remembered_where_nothing_was_fulfilled_yet(heard: Heard) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    send_passing(user, is_passing=False, minute=2)
    assert send_passing(user, minute=1) is Outcome.REPEATED
    assert heard.awarded == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_any_order_of_arrival_ends_in_the_same_progress(order: tuple[int, ...], heard: Heard) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    sent = [(0, True), (1, False), (2, True), (3, False)]
    for index in order:
        minute, is_passing = sent[index]
        send_passing(user, is_passing=is_passing, minute=minute)
    fulfillment = Fulfillment.objects.get()
    assert (fulfillment.is_fulfilled, fulfillment.event_time) == (False, at(3))
    assert not BadgeAward.objects.filter(revoked_at=None).exists()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_events_of_the_same_instant_end_the_same_in_both_orders(order: tuple[int, int], heard: Heard) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    sent = [(uuid.UUID(int=1), True), (uuid.UUID(int=2), False)]
    for index in order:
        event_id, is_passing = sent[index]
        send_passing(user, is_passing=is_passing, event_id=event_id)
    assert Fulfillment.objects.get().is_fulfilled is False


def test_replaying_everything_changes_no_row(heard: Heard) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    sent = [(minute, minute % 2 == 0, uuid.uuid1()) for minute in range(5)]

    def rows() -> list[list[object]]:
        return [
            list(model.objects.order_by("pk").values())
            for model in (Learner, BadgeProgress, Fulfillment, BadgeAward, get_user_model())
        ]

    for minute, is_passing, event_id in sent:
        send_passing(user, is_passing=is_passing, minute=minute, event_id=event_id)
    before = rows()
    for minute, is_passing, event_id in sent:
        assert send_passing(user, is_passing=is_passing, minute=minute, event_id=event_id) is Outcome.REPEATED
    assert rows() == before


def test_a_replay_finds_when_it_began_after_a_penalty_that_arrived_late() -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    passed = [(minute, uuid.uuid1()) for minute in (0, 2, 3)]
    for minute, event_id in passed:
        send_passing(user, minute=minute, event_id=event_id)
    send_passing(user, is_passing=False, minute=1)
    # Of what was said since the first event, only the newest is kept.
    before = Fulfillment.objects.values().get()
    assert before["since"] == at(3)

    for _ in range(2):
        outcomes = [send_passing(user, minute=minute, event_id=event_id) for minute, event_id in passed]

    assert Fulfillment.objects.values().get() == {**before, "since": at(2)}
    assert outcomes == [Outcome.REPEATED] * 3
    assert BadgeAward.objects.count() == 1


@pytest.mark.parametrize(("ahead", "is_refused"), [(timedelta(minutes=5), False), (timedelta(minutes=15), True)])
def test_an_event_from_the_future_is_refused_beyond_the_tolerance(ahead: timedelta, is_refused: bool) -> None:
    requires_course(make_template())
    minute = (datetime.now(UTC) + ahead - at(0)).total_seconds() / 60
    if is_refused:
        with pytest.raises(IgnoredEvent, match="in the future"):
            send_passing(make_user(), minute=minute)
    else:
        assert send_passing(make_user(), minute=minute) is Outcome.APPLIED


def test_what_matches_nothing_leaves_no_trace_of_the_learner() -> None:
    requires_course(make_template())
    assert send_passing(user_data(), "course-v1:No+Badge+1") is Outcome.UNMATCHED
    assert not get_user_model().objects.filter(username="newcomer").exists()
