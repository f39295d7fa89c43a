"""What is read out of openedx-events: the usable event types, their key paths, and the earner."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import attr
import pytest
from opaque_keys.edx.keys import CourseKey, UsageKey
from openedx_events.learning.data import ExamAttemptData, UserData
from openedx_events.tooling import KNOWN_UNSERIALIZABLE_SIGNALS, OpenEdxPublicSignal, load_all_signals

from badges_plugin import events
from badges_plugin.conf import DEFAULT_IGNORED_KEYPATHS
from badges_plugin.data import ValueKind, grade_in
from badges_plugin.events import get_event_type, key_paths, read_event
from badges_plugin.exceptions import IgnoredEvent, UnusableEventType
from tests.factories import CCX_PASSING, ENROLLMENT, PASSING, enrollment_data, metadata, passing_data, user_data

LEARNING = "org.openedx.learning."


@pytest.mark.parametrize(
    ("event_type", "root", "earner_path"),
    [
        (PASSING, "course_passing_status", "user"),
        (CCX_PASSING, "course_passing_status", "user"),
        (ENROLLMENT, "enrollment", "user"),
        (f"{LEARNING}certificate.created.v1", "certificate", "user"),
        (f"{LEARNING}exam.attempt.verified.v1", "exam_attempt", "student_user"),
        (f"{LEARNING}auth.session.login.completed.v1", "user", ""),
        (f"{LEARNING}badge.awarded.v1", "badge", "user"),
    ],
)
def test_earner_of_an_event_type(event_type: str, root: str, earner_path: str) -> None:
    found = get_event_type(event_type)
    assert (found.root, found.earner_path) == (root, earner_path)


def _carries_user_data(cls: type) -> bool:
    return cls is UserData or (attr.has(cls) and any(_carries_user_data(item.type) for item in attr.fields(cls)))


def test_every_event_type_that_carries_user_data_and_can_arrive_is_usable() -> None:
    load_all_signals()
    usable = 0
    for signal in OpenEdxPublicSignal.all_events():
        if signal.event_type in KNOWN_UNSERIALIZABLE_SIGNALS:
            with pytest.raises(UnusableEventType):
                get_event_type(signal.event_type)
        elif any(_carries_user_data(cls) for cls in signal.init_data.values()):
            assert key_paths(signal.event_type, DEFAULT_IGNORED_KEYPATHS) or signal.event_type.startswith(
                (f"{LEARNING}auth.session", f"{LEARNING}student.registration")
            )
            usable += 1
        elif signal.event_type in events.EARNERS_BY_ID:
            assert key_paths(signal.event_type, DEFAULT_IGNORED_KEYPATHS)
        else:
            with pytest.raises(UnusableEventType, match="carries no UserData"):
                get_event_type(signal.event_type)
    assert usable >= 20


def test_an_event_type_that_does_not_exist() -> None:
    with pytest.raises(UnusableEventType, match="no public event type"):
        get_event_type("org.openedx.learning.nothing.v1")


@attr.s(frozen=True)
class _UntypedData:
    user = attr.ib(type=UserData)
    answers = attr.ib(type=list)  # type: ignore[type-arg]


@attr.s(frozen=True)
class _TypedData:
    user = attr.ib(type=UserData)
    answers = attr.ib(type=list[str])


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("org.example.survey.answered.v1", _TypedData, None),
        ("org.example.survey.guessed.v1", _UntypedData, "without annotation types"),
        ("org.example.survey.optional.v1", attr.make_class("_Optional", {"user": attr.ib(type=UserData | None)}), ""),
    ],
)
def test_e4_an_event_type_of_any_package_that_cannot_be_sent_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, data: type, reason: str | None
) -> None:
    signal = OpenEdxPublicSignal(event_type=name, data={"survey": data})
    OpenEdxPublicSignal.instances.remove(signal)
    del OpenEdxPublicSignal._mapping[name]
    monkeypatch.setattr(events, "_signals", lambda: {name: signal})
    if reason is None:
        assert "answers" in key_paths(name)
    else:
        with pytest.raises(UnusableEventType, match=f"{name}.*{reason}"):
            get_event_type(name)


def test_key_paths_have_kinds_and_no_personal_data() -> None:
    paths = key_paths(PASSING, DEFAULT_IGNORED_KEYPATHS)
    assert paths["is_passing"] is ValueKind.BOOLEAN
    assert paths["course.course_key"] is ValueKind.TEXT
    assert paths["course.start"] is ValueKind.DATETIME
    assert not [path for path in paths if path.startswith("user")]


@pytest.mark.parametrize(
    ("event_type", "personal"),
    [
        (ENROLLMENT, "created_by.pii.email"),
        (f"{LEARNING}exam.attempt.verified.v1", "student_user.pii.username"),
        (f"{LEARNING}auth.session.login.completed.v1", "pii.email"),
    ],
)
def test_ignored_key_paths_apply_to_everybody_an_event_mentions(event_type: str, personal: str) -> None:
    assert personal in key_paths(event_type)
    assert personal not in key_paths(event_type, DEFAULT_IGNORED_KEYPATHS)


def test_an_operator_can_ignore_further_paths() -> None:
    assert "course.display_name" in key_paths(PASSING)
    assert "course.display_name" not in key_paths(PASSING, ("course.display_name",))
    assert "course.display_name" not in key_paths(PASSING, ("course_passing_status.course.display_name",))


def test_an_enrolment_is_about_the_learner_not_about_who_enrolled_them() -> None:
    staff = user_data(id=1, username="staff")
    event = read_event(ENROLLMENT, metadata(ENROLLMENT), {"enrollment": enrollment_data(user_data(), created_by=staff)})
    assert (event.learner.lms_user_id, event.learner.username) == (77, "newcomer")


def test_an_exam_attempt_is_about_the_student() -> None:
    course = CourseKey.from_string("course-v1:Demo+Badges+1")
    attempt = ExamAttemptData(
        student_user=user_data(),
        course_key=course,
        usage_key=UsageKey.from_string("block-v1:Demo+Badges+1+type@problem+block@1"),
        exam_type="proctored",
        requesting_user=user_data(id=1, username="staff"),
    )
    name = f"{LEARNING}exam.attempt.verified.v1"
    assert read_event(name, metadata(name), {"exam_attempt": attempt}).learner.lms_user_id == 77


def test_identity_and_time_come_from_the_metadata() -> None:
    stamp = metadata(event_id=uuid.UUID(int=5))
    event = read_event(PASSING, stamp, {"course_passing_status": passing_data(user_data())})
    assert (event.stamp.id, event.stamp.time) == (stamp.id, stamp.time)
    assert str(event) == f"{PASSING} {stamp.id}"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "carries no user data"),
        ({"course_passing_status": None}, "carries no user data"),
        ({"course_passing_status": passing_data(None)}, "carries no user data"),
        ({"course_passing_status": passing_data(user_data(id=None, username=""))}, "neither an LMS user id nor"),
        ({"course_passing_status": passing_data(UserData(id=None, is_active=True, pii=None))}, "neither"),
    ],
)
def test_an_event_that_names_nobody_is_ignored(arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(IgnoredEvent, match=reason):
        read_event(PASSING, metadata(), arguments)


def test_personal_data_is_not_in_representations() -> None:
    event = read_event(PASSING, metadata(), {"course_passing_status": passing_data(user_data())})
    for text in (repr(event), str(event), repr(event.learner)):
        assert "newcomer" not in text
        assert "example.org" not in text


@pytest.mark.parametrize("ignored", ["user", "course", "user.pii"])
def test_an_ignored_path_covers_what_is_below_it(ignored: str) -> None:
    assert not [path for path in key_paths(PASSING, (ignored,)) if path.startswith(f"{ignored}.")]


@pytest.mark.parametrize(
    ("payload", "grade"),
    [
        ({"percent_grade": 0.875}, "87.5%"),
        ({"grade": "0.9"}, "90%"),
        ({"grade": " A+ "}, "A+"),
        ({"grade": "A\0"}, "A"),
        ({"grade": "nan\0"}, "nan"),
        ({"grade": "\0"}, ""),
        ({"grade": None}, ""),
        ({}, ""),
    ],
)
def test_a_grade_is_text_that_every_database_keeps(payload: dict[str, object], grade: str) -> None:
    assert grade_in(SimpleNamespace(**payload)) == grade
