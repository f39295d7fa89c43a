"""Events that say nothing of their learner but the LMS user id: grades above all."""

from __future__ import annotations

from typing import Any

import attr
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openedx_events.event_bus.avro.deserializer import AvroSignalDeserializer
from openedx_events.event_bus.avro.serializer import AvroSignalSerializer
from openedx_events.learning.signals import PERSISTENT_GRADE_SUMMARY_CHANGED
from openedx_events.tooling import OpenEdxPublicSignal, load_all_signals

from badges_plugin import api, checks, conf, events
from badges_plugin.admin.rules import usable_event_types
from badges_plugin.conf import DEFAULT_IGNORED_KEYPATHS
from badges_plugin.consumers.applying import Applier
from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.deferred import retry_due
from badges_plugin.consumers.message import DecodedEvent, Message
from badges_plugin.consumers.running import StopRequest
from badges_plugin.data import Deferral, ValueKind
from badges_plugin.events import MAX_LMS_USER_ID, get_event_type, key_paths, read_event
from badges_plugin.exceptions import DeferredEvent, IgnoredEvent, UnusableEventType
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, FailedEvent, Learner
from tests.factories import (
    COURSE,
    GRADE,
    PASSING,
    at,
    grade_data,
    make_template,
    make_user,
    metadata,
    passing_data,
    penalizes,
    requires,
    send_passing,
    user_data,
)

OTHER_COURSE = "course-v1:Demo+Other+1"


@pytest.fixture
def badge(db: None) -> Any:
    """A badge for a grade of at least 80 %, which a regrade below takes away."""
    template = make_template()
    at_least = requires(
        template, ("course.course_key", "eq", COURSE), ("percent_grade", "gte", "0.8"), event_type=GRADE
    )
    penalizes(
        template, [at_least], ("course.course_key", "eq", COURSE), ("percent_grade", "lt", "0.8"), event_type=GRADE
    )
    return template


def graded(user_id: Any, percent: float = 0.9, *, minute: float = 0, **changes: Any) -> api.Outcome:
    data = grade_data(user_id, percent, **changes)
    return api.handle_event(GRADE, metadata(GRADE, time=at(minute)), {"grade": data})


def holds(user: User) -> bool:
    return BadgeAward.objects.filter(progress__user=user, revoked_at=None).exists()


@pytest.mark.parametrize(
    ("grades", "held", "awards"),
    [
        ([0.79], False, 0),
        ([0.8], True, 1),
        ([1.0], True, 1),
        ([0.5, 0.8], True, 1),
        # A regrade takes it, and another one gives it back.
        ([0.9, 0.7], False, 1),
        ([0.9, 0.7, 0.85], True, 2),
        # Going on above the line changes nothing.
        ([0.8, 0.9, 1.0], True, 1),
    ],
)
def test_grade_at_least_80_percent(badge: Any, grades: list[float], held: bool, awards: int) -> None:
    user = make_user()
    for minute, percent in enumerate(grades):
        graded(user.lms_user_id, percent, minute=minute)
    assert holds(user) is held
    assert BadgeAward.objects.count() == awards


def test_a_grade_of_another_course_or_learner_means_nothing(badge: Any) -> None:
    user, other = make_user(), make_user()
    assert graded(user.lms_user_id, course=OTHER_COURSE) is api.Outcome.UNMATCHED
    graded(other.lms_user_id)
    assert not holds(user)
    assert holds(other)


def test_a_repeated_grade_costs_three_queries_and_an_older_one_changes_nothing(badge: Any) -> None:
    user = make_user()
    stamp = metadata(GRADE, time=at(5))
    graded(user.lms_user_id, 0.9, minute=7)
    api.handle_event(GRADE, stamp, {"grade": grade_data(user.lms_user_id, 0.1)})
    assert holds(user)
    with CaptureQueriesContext(connection) as queries:
        assert api.handle_event(GRADE, stamp, {"grade": grade_data(user.lms_user_id, 0.1)}) is api.Outcome.REPEATED
    assert len(queries) <= 3


@pytest.mark.parametrize(
    "user_id", [0, -1, None, MAX_LMS_USER_ID + 1, 10**30, "77", "", "d41d8cd98f00b204e9800998ecf8427e", True, 7.0]
)
def test_an_id_that_no_learner_can_have_is_ignored(badge: Any, user_id: Any) -> None:
    make_user(lms_user_id=0)
    make_user(lms_user_id=None)
    make_user(lms_user_id=77)
    make_user(lms_user_id=1)
    make_user(lms_user_id=7)
    with pytest.raises(IgnoredEvent, match="neither an LMS user id nor") as refused:
        graded(user_id)
    assert not isinstance(refused.value, DeferredEvent)
    assert not BadgeAward.objects.exists()


@pytest.mark.parametrize("arguments", [{}, {"grade": None}])
def test_an_event_without_content_is_ignored(arguments: dict[str, Any]) -> None:
    with pytest.raises(IgnoredEvent):
        read_event(GRADE, metadata(GRADE), arguments)


@pytest.mark.parametrize(
    ("operator", "value", "is_warned_of"),
    [
        ("gte", "0.8", False),
        ("gt", "0", False),
        ("lt", "0", True),
        ("eq", "1", False),
        # Percent where parts of one are meant.
        ("gte", "80", True),
        ("eq", "80", True),
        ("lt", "80", False),
        ("gte", "-80", False),
    ],
)
@pytest.mark.django_db
def test_a_grade_in_percent_is_warned_of(operator: str, value: str, is_warned_of: bool, settings: Any) -> None:
    settings.BADGES_CONFIG = {"events": [GRADE]}
    template = make_template(is_active=False)
    requires(template, ("percent_grade", operator, value), event_type=GRADE)
    warnings = api.activation_warnings(template)
    assert any("Write 0.8 for 80 percent." in text for text in warnings) is is_warned_of, warnings
    assert bool(warnings) is is_warned_of


# --- Learners who are not known here


def by_a_consumer(user_id: int, percent: float = 0.9, minute: float = 0) -> None:
    described = metadata(GRADE, time=at(minute))
    event = DecodedEvent(PERSISTENT_GRADE_SUMMARY_CHANGED, described, {"grade": grade_data(user_id, percent)})
    message = Message(
        bus="kafka",
        topic="topic",
        group="credentials",
        position=f"0:{minute}",
        event_id=str(described.id),
        event_type=GRADE,
        headers={},
        value=b"bytes",
        decode=lambda: event,
    )
    Applier(ConsumerConfig(kafka={}), StopRequest()).apply_or_store([message])


@pytest.fixture
def received(settings: Any) -> Any:
    """Let grades be received."""
    from badges_plugin import handlers

    settings.BADGES_CONFIG = {"events": [GRADE, PASSING]}
    handlers.disconnect()
    handlers.connect()
    yield
    settings.BADGES_CONFIG = {}
    handlers.disconnect()
    handlers.connect()


def test_a_grade_of_somebody_unknown_is_kept_and_applied_once_they_are_known(badge: Any, received: None) -> None:
    by_a_consumer(77)
    failed = FailedEvent.objects.get()
    assert (failed.state, failed.cause) == (FailedEvent.State.FAILED, Deferral.UNKNOWN_LEARNER)
    assert failed.retry_at is not None
    assert not User.objects.filter(lms_user_id=77).exists()
    FailedEvent.objects.update(retry_at=timezone.now())
    assert retry_due() == 0

    user = make_user(lms_user_id=77)
    FailedEvent.objects.update(retry_at=timezone.now())
    assert retry_due() == 1
    assert holds(user)
    failed.refresh_from_db()
    assert failed.state == FailedEvent.State.PROCESSED


def test_grades_that_were_kept_end_alike_in_whatever_order(badge: Any, received: None) -> None:
    by_a_consumer(77, 0.5, minute=3)
    by_a_consumer(77, 0.9, minute=1)
    user = make_user(lms_user_id=77)
    by_a_consumer(77, 0.95, minute=2)
    assert holds(user)
    FailedEvent.objects.update(retry_at=timezone.now())
    retry_due()
    assert not holds(user)


def test_what_matters_for_no_badge_is_not_kept_of_somebody_unknown(badge: Any, received: None) -> None:
    assert graded(77, course=OTHER_COURSE) is api.Outcome.UNMATCHED
    assert not FailedEvent.objects.exists()


# --- Who they are


def test_of_two_users_with_one_id_badges_know_the_one_that_they_know(badge: Any) -> None:
    make_user(lms_user_id=77)
    known = make_user(lms_user_id=77)
    Learner.objects.create(user=known, profile_time=at(0))
    graded(77)
    assert holds(known)


@pytest.mark.parametrize("changes", [{"username": "retired__user_0123"}, {"email": "x@retired.invalid"}])
def test_a_retired_learner_gets_nothing_by_id(badge: Any, changes: dict[str, str]) -> None:
    make_user(lms_user_id=77)
    make_user(lms_user_id=77, **changes)
    with pytest.raises(IgnoredEvent, match="retired"):
        graded(77)
    assert not BadgeAward.objects.exists()


def test_a_retirement_that_only_an_event_told_of_holds_for_grades(badge: Any) -> None:
    user = make_user(lms_user_id=77)
    gone = passing_data(user_data(user, username="retired__user_0123", email="x@retired.invalid"))
    api.handle_event(PASSING, metadata(time=at(1)), {"course_passing_status": gone})
    with pytest.raises(IgnoredEvent, match="retired"):
        graded(77, minute=2)
    assert not BadgeAward.objects.exists()


@pytest.mark.parametrize("last_login", [None, at(-60)])
def test_a_grade_does_not_make_the_profile_of_another_event_look_old(badge: Any, last_login: Any) -> None:
    user = make_user(lms_user_id=77, full_name="Old Name", email="old@example.org", last_login=last_login)
    requires(make_template(), ("is_passing", "eq", "true"), event_type=PASSING)
    graded(77, minute=10)
    user.refresh_from_db()
    assert (user.full_name, user.email) == ("Old Name", "old@example.org")
    # Older, and the first to tell.
    send_passing(user_data(user, name="New Name", email="new@example.org"), minute=5)
    graded(77, minute=20)
    user.refresh_from_db()
    assert (user.full_name, user.email) == ("New Name", "new@example.org")
    send_passing(user_data(user, name="Older Name"), minute=4)
    user.refresh_from_db()
    assert user.full_name == "New Name"


# --- Event types


def test_the_event_type_is_offered_once_it_is_configured(settings: Any) -> None:
    settings.BADGES_CONFIG = {"events": [GRADE]}
    assert usable_event_types() == [GRADE]
    assert checks.check_configuration(None) == []
    paths = key_paths(GRADE, DEFAULT_IGNORED_KEYPATHS)
    assert paths["percent_grade"] is ValueKind.NUMBER
    assert "user_id" not in paths
    assert key_paths(GRADE)["user_id"] is ValueKind.NUMBER


def test_every_event_type_of_the_table_that_is_installed_is_usable() -> None:
    load_all_signals()
    installed = {signal.event_type for signal in OpenEdxPublicSignal.all_events()}
    known = [name for name in events.EARNERS_BY_ID if name in installed]
    assert GRADE in known
    for name in known:
        assert get_event_type(name).is_by_id


def test_a_grade_crosses_the_bus() -> None:
    data = {"grade": grade_data(77)}
    sent = AvroSignalSerializer(PERSISTENT_GRADE_SUMMARY_CHANGED).to_dict(data)
    there = AvroSignalDeserializer(PERSISTENT_GRADE_SUMMARY_CHANGED).from_dict(sent)
    assert read_event(GRADE, metadata(GRADE), there).learner.lms_user_id == 77


@attr.s(frozen=True)
class _Survey:
    learner_id = attr.ib(type=int)
    anonymous_id = attr.ib(type=str)
    is_done = attr.ib(type=bool)


SURVEY = "org.example.poll.answered.v1"


@pytest.fixture
def survey(monkeypatch: pytest.MonkeyPatch) -> str:
    """An event type of another package."""
    signal = OpenEdxPublicSignal(event_type=SURVEY, data={"survey": _Survey})
    OpenEdxPublicSignal.instances.remove(signal)
    del OpenEdxPublicSignal._mapping[SURVEY]
    monkeypatch.setattr(events, "_signals", lambda: {SURVEY: signal})
    return SURVEY


def test_a_setting_says_where_events_of_another_package_have_the_id(survey: str, settings: Any) -> None:
    with pytest.raises(UnusableEventType, match="carries no UserData"):
        get_event_type(survey)
    settings.BADGES_CONFIG = {"earner_ids": {survey: "learner_id"}}
    assert get_event_type(survey).earner_path == "learner_id"
    assert read_event(survey, metadata(survey), {"survey": _Survey(77, "x", True)}).learner.lms_user_id == 77
    assert key_paths(survey, DEFAULT_IGNORED_KEYPATHS).keys() & {"learner_id", "is_done"} == {"is_done"}


@pytest.mark.parametrize("path", ["anonymous_id", "is_done", "nothing", "learner_id.more"])
def test_what_is_no_id_is_refused(survey: str, settings: Any, path: str) -> None:
    settings.BADGES_CONFIG = {"events": [survey], "earner_ids": {survey: path}}
    with pytest.raises(UnusableEventType, match="have no LMS user id at"):
        get_event_type(survey)
    assert [message.id for message in checks.check_configuration(None)] == ["badges_plugin.E002"]


@pytest.mark.parametrize("wrong", [["a"], {"a": 1}, {"a": ""}, {1: "a"}, "a"])
def test_a_setting_of_another_shape_is_an_error(settings: Any, wrong: object) -> None:
    settings.BADGES_CONFIG = {"earner_ids": wrong}
    assert [message.id for message in checks.check_configuration(None)] == ["badges_plugin.E001"]


@pytest.mark.parametrize("empty", [None, {}])
def test_an_empty_setting_says_nothing(settings: Any, empty: object) -> None:
    settings.BADGES_CONFIG = {"earner_ids": empty}
    assert conf.earner_ids() == {}
