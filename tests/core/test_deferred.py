"""Events that cannot be applied when they come, but later: kept, counted, and applied by themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openedx_events.data import EventsMetadata
from openedx_events.learning.data import CoursePassingStatusData
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

from badges_plugin import logs, receiving
from badges_plugin.consumers import retention, storing
from badges_plugin.consumers.applying import Applier
from badges_plugin.consumers.config import ConsumerConfig
from badges_plugin.consumers.deferred import Retries, retry_due
from badges_plugin.consumers.message import DecodedEvent, Message
from badges_plugin.consumers.running import StopRequest
from badges_plugin.data import Deferral
from badges_plugin.doctor import Level, database_probes
from badges_plugin.exceptions import DeferredEvent
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, FailedEvent
from badges_plugin.signals import badge_awarded
from tests.core.admin_pages import staff, text, url
from tests.factories import make_template, make_user, metadata, passing_data, requires_course, user_data
from tests.limits import Lower

pytestmark = pytest.mark.django_db
FAILED, PROCESSED = FailedEvent.State.FAILED, FailedEvent.State.PROCESSED

Deliver = Callable[[CoursePassingStatusData, EventsMetadata], None]


def ahead(minutes: float) -> EventsMetadata:
    return metadata(time=timezone.now() + timedelta(minutes=minutes))


def message_of(data: CoursePassingStatusData, described: EventsMetadata) -> Message:
    event = DecodedEvent(COURSE_PASSING_STATUS_UPDATED, described, {"course_passing_status": data})
    return Message(
        bus="kafka",
        topic="topic",
        group="credentials",
        position="0:7",
        event_id=str(described.id),
        event_type=described.event_type,
        headers={},
        value=b"bytes",
        decode=lambda: event,
    )


def by_a_consumer(data: CoursePassingStatusData, described: EventsMetadata) -> None:
    Applier(ConsumerConfig(kafka={}), StopRequest()).apply_or_store([message_of(data, described)])


def in_process(data: CoursePassingStatusData, described: EventsMetadata) -> None:
    COURSE_PASSING_STATUS_UPDATED._send_event_with_metadata(described, course_passing_status=data)


@pytest.fixture(params=[by_a_consumer, in_process], ids=["consumer", "in process"])
def deliver(request: pytest.FixtureRequest) -> Deliver:
    found: Deliver = request.param
    return found


def let_time_pass(until: datetime) -> None:
    """Move what waits into the past, instead of the clock."""
    passed = until - timezone.now()
    for failed in FailedEvent.objects.all():
        failed.metadata["time"] = (datetime.fromisoformat(failed.metadata["time"]) - passed).isoformat()
        failed.retry_at = failed.retry_at and failed.retry_at - passed
        failed.save()


def test_d3_an_event_from_the_future_is_kept_and_applied_when_its_time_has_come(deliver: Deliver) -> None:
    requires_course(make_template())
    described = ahead(11)
    for _ in range(2):
        deliver(passing_data(user_data(username="ann")), described)
    failed = FailedEvent.objects.get()
    assert (failed.state, failed.cause, failed.attempts) == (FAILED, Deferral.FUTURE, 2)
    assert failed.retry_at == described.time - timedelta(minutes=10)
    assert "in the future" in failed.reason
    assert failed.error == ""

    assert retry_due() == 0
    assert not User.objects.filter(username="ann").exists()
    let_time_pass(failed.retry_at)
    assert retry_due() == 1
    assert BadgeAward.objects.get().user.username == "ann"
    assert FailedEvent.objects.filter(state=PROCESSED, retry_at=None).exists()
    assert retry_due() == 0


def test_d3_an_event_whose_user_name_belongs_to_somebody_else_waits_for_the_name(deliver: Deliver) -> None:
    requires_course(make_template())
    other = make_user(username="ann", lms_user_id=1)
    deliver(passing_data(user_data(id=77, username="ann")), metadata())
    failed = FailedEvent.objects.get()
    assert (failed.state, failed.cause) == (FAILED, Deferral.NAME_TAKEN)
    assert failed.retry_at is not None

    let_time_pass(failed.retry_at)
    assert retry_due() == 0
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == (FAILED, 2)
    # Less and less often.
    assert failed.retry_at is not None
    assert failed.retry_at > timezone.now() + 1.5 * storing.FIRST_RETRY

    other.username = "ann-with-another-name"
    other.save()
    FailedEvent.objects.update(retry_at=timezone.now())
    assert retry_due() == 1
    assert BadgeAward.objects.get().user.lms_user_id == 77


def test_d3_an_event_of_somebody_unknown_without_a_name_waits_for_them(deliver: Deliver) -> None:
    requires_course(make_template())
    deliver(passing_data(user_data(id=77, username="")), metadata())
    assert FailedEvent.objects.get().cause == Deferral.UNKNOWN_LEARNER
    make_user(lms_user_id=77)
    FailedEvent.objects.update(retry_at=timezone.now())
    assert retry_due() == 1
    assert BadgeAward.objects.get().user.lms_user_id == 77


@pytest.mark.parametrize(
    ("data", "minutes"),
    [
        # It matters for no badge, and would not later.
        (passing_data(user_data(), "course-v1:No+Badge+1"), 11),
        # Nobody could be found.
        (passing_data(user_data(id=None, username="")), 0),
    ],
)
def test_d3_what_can_never_matter_is_not_kept(deliver: Deliver, data: CoursePassingStatusData, minutes: float) -> None:
    requires_course(make_template())
    deliver(data, ahead(minutes))
    assert not FailedEvent.objects.exists()


def test_d3_a_refused_chain_is_kept_for_staff(lower: Lower) -> None:
    requires_course(make_template())
    lower(receiving, MAX_CHAIN=0)
    in_process(passing_data(user_data(make_user())), metadata())
    failed = FailedEvent.objects.get()
    # By itself it would only go round again.
    assert (failed.cause, failed.retry_at) == (Deferral.ENDLESS_CHAIN, None)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_d3_a_flood_is_reported_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    deferrals = logs.Deferrals(clock)
    future = DeferredEvent("from the future", cause=Deferral.FUTURE)
    for second in range(150):
        clock.seconds = 1000.0 + second
        deferrals.report(future, f"event {second}")
    deferrals.report(DeferredEvent("name", cause=Deferral.NAME_TAKEN), "event x")
    said = [record.getMessage().split(" are ")[0] for record in caplog.records]
    assert said == ["1 events", "60 events", "60 events", "1 events"]


def test_d3_an_event_of_a_flood_costs_one_line_for_all_and_few_queries(caplog: pytest.LogCaptureFixture) -> None:
    requires_course(make_template())
    applier, data = Applier(ConsumerConfig(kafka={}), StopRequest()), passing_data(user_data(make_user()))
    with caplog.at_level(logging.INFO):
        applier.apply_or_store([message_of(data, ahead(60))])
        with CaptureQueriesContext(connection) as queries:
            assert applier.apply_or_store([message_of(data, ahead(60)) for _ in range(20)]) == [False] * 20
    assert FailedEvent.objects.count() == 21
    lines = [record for record in caplog.records if record.name.startswith(("badges", "django", "openedx"))]
    assert [line.levelname for line in lines].count("WARNING") == 1
    assert lines[-1].getMessage().endswith("ms: 20 deferred")
    assert len(lines) == 3  # one for each batch besides
    # Whether the learner of each was retired; then the token of the ruleset, looking for rows that are there already,
    # and inserting all of them between the two ends of a transaction.
    assert len(queries) <= 20 + 6


def test_d3_what_is_due_is_taken_by_one_process_at_a_time_and_oldest_first() -> None:
    requires_course(make_template())
    for name in ("ann", "bob"):
        in_process(passing_data(user_data(make_user(username=name))), ahead(11))
    # Their time has come.
    FailedEvent.objects.update(retry_at=timezone.now(), metadata=metadata().to_json_data())
    taken: list[str] = []

    def receive(award: BadgeAward, **kwargs: Any) -> None:
        taken.append(award.user.username)
        retry_due()  # another process, meanwhile

    badge_awarded.connect(receive)
    try:
        retry_due()
    finally:
        badge_awarded.disconnect(receive)
    assert taken == ["ann", "bob"]


def test_d3_looking_for_what_is_due_costs_one_query_now_and_then() -> None:
    retries = Retries()
    with CaptureQueriesContext(connection) as queries:
        for _ in range(5):
            retries.when_due()
    assert len(queries) == 1


def test_d3_what_goes_wrong_at_a_retry_is_a_failed_event_like_any_other() -> None:
    requires_course(make_template())
    in_process(passing_data(user_data(make_user())), ahead(11))
    FailedEvent.objects.update(retry_at=timezone.now())

    def receive(**kwargs: Any) -> None:
        raise ValueError("a bug")

    FailedEvent.objects.update(metadata=metadata().to_json_data())
    badge_awarded.connect(receive)
    try:
        assert retry_due() == 0
    finally:
        badge_awarded.disconnect(receive)
    failed = FailedEvent.objects.get()
    assert (failed.state, failed.cause, failed.retry_at) == (FAILED, "", None)
    assert "ValueError" in failed.reason


def grow_old(days: float) -> None:
    """Move everything about what waits into the past, instead of the clock."""
    let_time_pass(timezone.now() + timedelta(days=days))
    for failed in FailedEvent.objects.all():
        FailedEvent.objects.filter(pk=failed.pk).update(
            updated_at=failed.updated_at - timedelta(days=days),
            event_time=failed.event_time and failed.event_time - timedelta(days=days),
        )


def test_f10_automatic_attempts_do_not_keep_an_event_for_ever(deliver: Deliver) -> None:
    requires_course(make_template())
    make_user(username="ann", lms_user_id=1)
    deliver(passing_data(user_data(id=77, username="ann")), metadata())
    for _ in range(4):
        since = FailedEvent.objects.get().updated_at
        FailedEvent.objects.update(retry_at=timezone.now())
        assert retry_due() == 0
        assert FailedEvent.objects.get().updated_at == since
    FailedEvent.objects.update(updated_at=timezone.now() - timedelta(days=366))
    FailedEvent.objects.update(retry_at=timezone.now())
    assert retry_due() == 0
    retention.purge_a_batch(timezone.now())
    assert not FailedEvent.objects.exists()


def test_f10_what_comes_again_after_a_decision_is_as_young_as_that(deliver: Deliver) -> None:
    requires_course(make_template())
    make_user(username="ann", lms_user_id=1)
    described = metadata()
    deliver(passing_data(user_data(id=77, username="ann")), described)
    FailedEvent.objects.update(updated_at=timezone.now() - timedelta(days=400), state=FailedEvent.State.DISMISSED)
    deliver(passing_data(user_data(id=77, username="ann")), described)
    retention.purge_a_batch(timezone.now())
    assert FailedEvent.objects.get().state == FAILED


def test_d3_an_event_from_the_future_is_not_deleted_before_its_time(settings: Any, deliver: Deliver) -> None:
    settings.BADGES_CONFIG = {"retention": {"undecided_failed_events_days": 3}}
    requires_course(make_template())
    deliver(passing_data(user_data(username="ann")), ahead(5 * 24 * 60))
    for days in (4, 2):  # its time comes after the first of them
        FailedEvent.objects.update(updated_at=timezone.now() - timedelta(days=4))
        grow_old(days)
        retention.purge_a_batch(timezone.now())
        assert retention.purge(timezone.now() - timedelta(days=3), also_undecided=True, dry_run=True) == 0
        assert FailedEvent.objects.count() == 1
    assert retry_due() == 1
    assert BadgeAward.objects.get().user.username == "ann"


def test_d3_an_event_from_the_future_that_nothing_applies_ages_from_its_own_time(settings: Any) -> None:
    settings.BADGES_CONFIG = {"retention": {"undecided_failed_events_days": 3}}
    requires_course(make_template())
    in_process(passing_data(user_data(username="ann")), ahead(5 * 24 * 60))
    grow_old(9)
    retention.purge_a_batch(timezone.now())
    assert not FailedEvent.objects.exists()


@pytest.fixture
def waiting() -> None:
    requires_course(make_template())
    in_process(passing_data(user_data(make_user())), ahead(11))
    in_process(passing_data(user_data(id=5, username="")), metadata())


def test_d3_the_doctor_counts_what_waits_and_names_the_clock(waiting: None) -> None:
    found = list(database_probes.failed_events())
    assert [finding.level for finding in found] == [Level.WARNING, Level.WARNING]
    assert found[0].what.startswith("1 events wait because they are from the future")
    assert "unknown here" in found[1].what
    [clock] = database_probes.clock()
    assert "11 minutes ahead of the clock" in clock.what
    assert "NTP" in clock.advice


def test_d3_staff_see_why_an_event_waits_and_until_when(waiting: None) -> None:
    page = text(staff("view_failedevent").get(url("failedevent"), {"cause__exact": "future"}))
    assert "1 failed event" in page
    failed = FailedEvent.objects.get(cause=Deferral.FUTURE)
    page = text(staff("view_failedevent").get(url("failedevent", "change", failed.pk)))
    assert "Cause: dated in the future" in page
