"""Where signals enter, with the real signals; ``send_robust=False`` so that a crash of the handler shows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from openedx_events.learning.data import BadgeData
from openedx_events.learning.signals import (
    BADGE_AWARDED,
    BADGE_REVOKED,
    COURSE_ENROLLMENT_CREATED,
    COURSE_PASSING_STATUS_UPDATED,
)
from openedx_events.tooling import KNOWN_UNSERIALIZABLE_SIGNALS

from badges_plugin import api, checks, dispatch, handlers, receiving
from badges_plugin.models import BadgeAward, Fulfillment
from badges_plugin.signals import badge_awarded
from tests.factories import (
    COURSE,
    ENROLLMENT,
    PASSING,
    enrollment_data,
    make_template,
    make_user,
    passing_data,
    penalizes,
    requires,
    requires_course,
    user_data,
)

pytestmark = pytest.mark.django_db
AWARDED_TYPE, REVOKED_TYPE = "org.openedx.learning.badge.awarded.v1", "org.openedx.learning.badge.revoked.v1"


@pytest.fixture
def reconnect() -> Callable[[], None]:
    """Connect again after settings have changed."""

    def again() -> None:
        handlers.disconnect()
        handlers.connect()

    return again


@pytest.fixture(autouse=True)
def _connected_as_before(settings: Any) -> Iterator[None]:
    yield
    settings.BADGES_CONFIG = {}
    handlers.disconnect()
    handlers.connect()


def emit_passing(user: Any, **options: Any) -> None:
    COURSE_PASSING_STATUS_UPDATED.send_event(
        send_robust=False, course_passing_status=passing_data(user_data(user), **options)
    )


def test_a_configured_event_is_processed_and_logged_without_personal_data(caplog: pytest.LogCaptureFixture) -> None:
    requires_course(make_template())
    user = make_user()
    with caplog.at_level(logging.INFO, "badges_plugin"):
        emit_passing(user)
    event_id = str(Fulfillment.objects.get().event_id)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("badges_plugin")]
    assert f"Event {PASSING} {event_id}: applied." in ours
    assert not [line for line in ours if user.username in line or user.email in line]


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (None, "the event carries no user data"),
        (user_data(id=None, username=""), "neither an LMS user id nor a user name"),
        (user_data(username=""), "is not known here"),
    ],
)
def test_what_is_ignored_is_logged_with_the_event_id_and_the_reason(
    user: Any, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    requires_course(make_template())
    metadata = COURSE_PASSING_STATUS_UPDATED.generate_signal_metadata()
    with caplog.at_level(logging.WARNING, "badges_plugin"):
        handlers.handle_badging_event(
            signal=COURSE_PASSING_STATUS_UPDATED, metadata=metadata, course_passing_status=passing_data(user)
        )
    (message,) = [
        record.getMessage()
        for record in caplog.records
        if record.name == "badges_plugin.receiving" or record.name == "badges_plugin.handlers"
    ]
    assert str(metadata.id) in message
    assert reason in message


def test_an_event_type_that_is_not_configured_is_not_received(settings: Any, reconnect: Callable[[], None]) -> None:
    settings.BADGES_CONFIG = {"events": [PASSING]}
    reconnect()
    requires(make_template(), event_type=ENROLLMENT)
    COURSE_ENROLLMENT_CREATED.send_event(send_robust=False, enrollment=enrollment_data(user_data()))
    assert not BadgeAward.objects.exists()
    settings.BADGES_CONFIG = {"events": [PASSING, ENROLLMENT]}
    reconnect()
    COURSE_ENROLLMENT_CREATED.send_event(send_robust=False, enrollment=enrollment_data(user_data()))
    assert BadgeAward.objects.count() == 1


def test_a_failure_is_passed_on_to_whoever_delivered_the_event() -> None:
    requires_course(make_template())
    user = make_user()
    user.delete()
    user.lms_user_id = "no number"
    with pytest.raises((ValueError, TypeError)):
        emit_passing(user)


@pytest.mark.parametrize("debug", [False, True])
def test_b2_an_app_that_was_connected_earlier_does_not_keep_an_event_from_us(
    settings: Any, reconnect: Callable[[], None], debug: bool
) -> None:
    """As the libraries' own consumers send it; with DEBUG on, openedx-events stops at the first exception."""
    settings.DEBUG = debug
    requires_course(make_template())
    handlers.disconnect()

    def fail(**kwargs: object) -> None:
        raise RuntimeError("a bug")

    COURSE_PASSING_STATUS_UPDATED.connect(fail)
    reconnect()
    metadata = COURSE_PASSING_STATUS_UPDATED.generate_signal_metadata()
    data = passing_data(user_data(make_user()))
    try:
        with nullcontext() if not debug else pytest.raises(RuntimeError):
            COURSE_PASSING_STATUS_UPDATED.send_event_with_custom_metadata(metadata, course_passing_status=data)
    finally:
        COURSE_PASSING_STATUS_UPDATED.disconnect(fail)
    assert BadgeAward.objects.count() == 1


def test_b2_what_another_app_sends_while_it_is_told_of_an_event_is_heard() -> None:
    """Our receiver had the event already, but not the one that follows from it."""
    requires_course(make_template())
    first, second = user_data(make_user()), user_data(make_user())

    def send_another(course_passing_status: Any, **kwargs: object) -> None:
        if course_passing_status.user.id == first.id:
            COURSE_PASSING_STATUS_UPDATED.send_event(send_robust=False, course_passing_status=passing_data(second))

    COURSE_PASSING_STATUS_UPDATED.connect(send_another)
    try:
        metadata = COURSE_PASSING_STATUS_UPDATED.generate_signal_metadata()
        dispatch.tell_others(COURSE_PASSING_STATUS_UPDATED, metadata, {"course_passing_status": passing_data(first)})
    finally:
        COURSE_PASSING_STATUS_UPDATED.disconnect(send_another)
    assert [award.user.lms_user_id for award in BadgeAward.objects.all()] == [second.id]


def test_a_badge_can_depend_on_another_badge(
    settings: Any, reconnect: Callable[[], None], django_capture_on_commit_callbacks: Any
) -> None:
    settings.BADGES_CONFIG = {"events": [PASSING, AWARDED_TYPE]}
    reconnect()
    first, second = make_template(), make_template()
    requires_course(first)
    requires(second, ("template.uuid", "eq", str(first.uuid)), event_type=AWARDED_TYPE)
    with django_capture_on_commit_callbacks(execute=True):
        emit_passing(make_user())
    assert {award.template for award in BadgeAward.objects.all()} == {first, second}


@pytest.mark.filterwarnings("ignore:.*component will be inactive")
def test_without_a_bus_a_badge_that_depends_on_another_is_awarded_later_after_an_error(
    settings: Any, reconnect: Callable[[], None], django_capture_on_commit_callbacks: Any
) -> None:
    settings.EVENT_BUS_PRODUCER = None
    settings.BADGES_CONFIG = {"events": [PASSING, AWARDED_TYPE]}
    reconnect()
    first, second = make_template(), make_template()
    requires_course(first)
    requires(second, ("template.uuid", "eq", str(first.uuid)), event_type=AWARDED_TYPE)
    failure = iter([OperationalError(1213, "Deadlock found")])

    def fail_once(award: BadgeAward, **kwargs: Any) -> None:
        if award.template == second and (error := next(failure, None)):
            raise error

    badge_awarded.connect(fail_once)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            emit_passing(make_user())
        assert BadgeAward.objects.get().template == first
        BadgeAward.objects.update(publish_due_at=timezone.now())
        with django_capture_on_commit_callbacks(execute=True):
            api.publish_pending()
    finally:
        badge_awarded.disconnect(fail_once)
    assert {award.template for award in BadgeAward.objects.all()} == {first, second}
    assert not BadgeAward.objects.exclude(publish_due_at=None).exists()


def test_a_badge_that_depends_on_itself_does_not_loop(
    settings: Any, reconnect: Callable[[], None], django_capture_on_commit_callbacks: Any
) -> None:
    settings.BADGES_CONFIG = {"events": [PASSING, AWARDED_TYPE, REVOKED_TYPE]}
    reconnect()
    template = make_template()
    requirement = requires_course(template, group="any")
    again = requires(template, event_type=REVOKED_TYPE, group="any")
    penalizes(template, [requirement, again], ("template.name", "eq", template.name), event_type=AWARDED_TYPE)
    with django_capture_on_commit_callbacks(execute=True):
        emit_passing(make_user())
    assert BadgeAward.objects.get().revoked_at is None


def test_public_events_are_not_sent_before_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    requires_course(make_template())
    heard: list[BadgeData] = []

    def listen(badge: BadgeData, **kwargs: Any) -> None:
        heard.append(badge)

    BADGE_AWARDED.connect(listen)
    BADGE_REVOKED.connect(listen)
    try:
        with django_capture_on_commit_callbacks() as callbacks:
            emit_passing(make_user(), course=COURSE)
        assert heard == []
        for callback in callbacks:
            callback()
        assert len(heard) == 1
    finally:
        BADGE_AWARDED.disconnect(listen)
        BADGE_REVOKED.disconnect(listen)


# There is one in every release up to 10.5; of the later ones another may have to stand in.
UNSENDABLE = next(name for name in KNOWN_UNSERIALIZABLE_SIGNALS if name.startswith("org.openedx.learning."))


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({"BADGES_CONFIG": {}}, []),
        ({"BADGES_CONFIG": {"events": "one"}}, ["badges_plugin.E001"]),
        ({"BADGES_CONFIG": {"events": []}}, ["badges_plugin.W003"]),
        (
            {"BADGES_CONFIG": {"events": ["nothing", "org.openedx.content_authoring.xblock.created.v1"]}},
            ["badges_plugin.E002"] * 2,
        ),
        # E4: what openedx-events cannot send never arrives
        ({"BADGES_CONFIG": {"events": [UNSENDABLE]}}, ["badges_plugin.E002"]),
        ({"EVENT_BUS_PRODUCER": "a.b", "EVENT_BUS_PRODUCER_CONFIG": {}}, ["badges_plugin.W004"] * 2),
        (
            {
                "EVENT_BUS_PRODUCER": "a.b",
                "EVENT_BUS_PRODUCER_CONFIG": {
                    AWARDED_TYPE: {"topic": {"event_key_field": "badge.uuid", "enabled": True}},
                    REVOKED_TYPE: {"topic": {"event_key_field": "badge.uuid", "enabled": False}},
                },
            },
            ["badges_plugin.W004"],
        ),
        ({"EVENT_BUS_PRODUCER": None, "EVENT_BUS_PRODUCER_CONFIG": {}}, []),
    ],
)
def test_mistakes_in_the_settings_are_found_by_a_check(settings: Any, changes: dict[str, Any], ids: list[str]) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    messages = checks.check_configuration(None) + checks.check_publishing(None)
    assert [message.id for message in messages] == ids
    assert all(message.hint for message in messages)


def test_two_badges_that_depend_on_each_other_do_not_award_without_end(
    settings: Any, reconnect: Callable[[], None], django_capture_on_commit_callbacks: Any, caplog: Any
) -> None:
    settings.BADGES_CONFIG = {"events": [PASSING, AWARDED_TYPE, REVOKED_TYPE]}
    reconnect()
    first, second = make_template(), make_template()
    for template, other in ((first, second), (second, first)):
        earned = requires(template, ("template.uuid", "eq", str(other.uuid)), event_type=REVOKED_TYPE, group="any")
        penalizes(template, [earned], ("template.uuid", "eq", str(other.uuid)), event_type=AWARDED_TYPE)
    start = requires_course(first, group="any")
    penalizes(first, [start], ("template.uuid", "eq", str(second.uuid)), event_type=AWARDED_TYPE)
    send = make_user()
    with django_capture_on_commit_callbacks(execute=True):
        emit_passing(send)
    assert BadgeAward.objects.count() <= receiving.MAX_CHAIN + 1
