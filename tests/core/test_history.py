"""A learner's past at once: it ends where one event after the other ends, without the steps in between."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest

from badges_plugin import api
from badges_plugin.data import BadgingEvent
from badges_plugin.host import User, UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress, Fulfillment, Learner
from tests.core.conftest import Heard
from tests.factories import (
    COURSE,
    PASSING,
    at,
    make_template,
    make_user,
    metadata,
    passing_data,
    penalizes_failing,
    requires_course,
    send_passing,
    user_data,
)

pytestmark = pytest.mark.django_db
OTHER = "course-v1:Demo+Other+1"


def passing(
    user: Any, minute: float, *, is_passing: bool = True, course: str = COURSE, event_id: uuid.UUID | None = None
) -> BadgingEvent:
    data = passing_data(user, course, is_passing=is_passing)
    return api.read_event(PASSING, metadata(time=at(minute), event_id=event_id), {"course_passing_status": data})


@pytest.mark.parametrize(
    ("before", "history", "awards", "revocations"),
    [
        # (is_passing, ...) one a minute; what was heard internally
        ("", "p", 1, 0),
        ("", "pfp", 1, 0),  # lost and earned again on the way: awarded once
        ("", "pf", 0, 0),  # earned and lost: neither awarded nor revoked
        ("", "f", 0, 0),
        ("p", "f", 0, 1),
        ("p", "fpf", 0, 1),
        ("p", "fp", 0, 0),  # the badge stays
        ("pf", "p", 1, 0),
        ("pf", "pf", 0, 0),
    ],
)
def test_awards_and_revokes_once_from_where_it_began_to_where_it_ends(
    heard: Heard, before: str, history: str, awards: int, revocations: int
) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    for minute, letter in enumerate(before):
        send_passing(user, is_passing=letter == "p", minute=minute)
    heard.awarded.clear()
    heard.revoked.clear()
    events = [
        passing(user_data(user), len(before) + minute, is_passing=letter == "p")
        for minute, letter in enumerate(history)
    ]
    random.Random(1).shuffle(events)  # noqa: S311 - the order of arrival must not matter
    changes = api.process_history(events)
    assert (len(heard.awarded), len(heard.revoked)) == (awards, revocations)
    assert (changes.awarded, changes.revoked) == ((template.pk,) * awards, (template.pk,) * revocations)
    assert Fulfillment.objects.get().event_time == at(len(before) + len(history) - 1)
    assert api.process_history(events).is_repeated


def test_a_badge_revoked_by_hand_is_earned_again_only_by_losing_and_fulfilling_a_requirement() -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    send_passing(user)
    api.revoke_award(BadgeAward.objects.get(), reason="plagiarism")
    data = user_data(user)
    assert api.process_history([passing(data, 1), passing(data, 2)]).awarded == ()
    lost_and_earned = [passing(data, 3, is_passing=False), passing(data, 4)]
    assert api.process_history(lost_and_earned).awarded == (template.pk,)
    assert BadgeAward.objects.filter(revoked_at=None).get().number == 2


def test_events_that_were_applied_before_are_left_where_they_are(heard: Heard) -> None:
    template, user = make_template(), make_user()
    penalizes_failing(template, requires_course(template))
    sent = [(uuid.uuid1(), minute, minute % 2 == 0) for minute in range(5)]
    for event_id, minute, is_passing in sent:
        send_passing(user, minute=minute, is_passing=is_passing, event_id=event_id)

    def rows() -> list[list[object]]:
        models: tuple[Any, ...] = (User, Learner, BadgeProgress, Fulfillment, BadgeAward, UserCredential)
        return [list(model.objects.order_by("pk").values()) for model in models]

    before = rows()
    events = [
        passing(user_data(user), minute, is_passing=is_passing, event_id=event_id)
        for event_id, minute, is_passing in sent
    ]
    assert api.process_history(events).is_repeated
    assert rows() == before


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    heard: Heard, django_capture_on_commit_callbacks: Any
) -> None:
    template = make_template()
    requires_course(template)
    with django_capture_on_commit_callbacks(execute=True):
        changes = api.process_history([passing(user_data(), 0)], dry_run=True)
    assert (changes.awarded, changes.is_new_learner) == ((template.pk,), True)
    assert heard.public == []
    assert not any(model.objects.exists() for model in (Learner, BadgeProgress, BadgeAward, UserCredential))
    assert not User.objects.filter(lms_user_id=77).exists()


def test_only_the_templates_asked_for_are_touched() -> None:
    wanted, other = make_template(), make_template()
    requires_course(wanted)
    requires_course(other)
    changes = api.process_history([passing(user_data(), 0)], templates={wanted.pk})
    assert changes.awarded == (wanted.pk,)
    assert BadgeProgress.objects.get().template == wanted


def test_what_one_event_leaves_out_about_the_learner_is_taken_from_another() -> None:
    requires_course(make_template())
    events = [passing(user_data(), 0), passing(user_data(email="", name=""), 1, course=COURSE)]
    api.process_history(events)
    user = User.objects.get(lms_user_id=77)
    assert (user.email, user.full_name) == ("new@example.org", "Nia New")


def test_what_must_not_be_applied_is_left_out_and_said() -> None:
    requires_course(make_template())
    far_ahead = passing(user_data(), 60 * 24 * 365 * 100)
    changes = api.process_history([far_ahead, passing(user_data(), 0)])
    assert len(changes.awarded) == 1
    assert "future" in changes.ignored[0]
    nameless = api.process_history([passing(user_data(id=5, username=""), 0)])
    assert nameless.awarded == ()
    assert "not known here" in nameless.ignored[0]
