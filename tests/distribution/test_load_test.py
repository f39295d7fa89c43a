"""Measuring a site: what is sent is followed, told and deleted again, whatever happens in between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from openedx_events.learning.signals import BADGE_AWARDED

from badges_plugin import api, synthetic
from badges_plugin.consumers.message import DecodedEvent
from badges_plugin.distribution import registry
from badges_plugin.distribution.load_test import cleaning, scene, sending
from badges_plugin.distribution.load_test.exceptions import CannotMeasure
from badges_plugin.distribution.load_test.following import Delays
from badges_plugin.distribution.load_test.running import Pace, Run
from badges_plugin.distribution.models import Delivery
from badges_plugin.host import User, UserCredential
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, FailedEvent
from badges_plugin.signals import badge_awarded
from tests.distribution.fakes import FakeBackend
from tests.distribution.worlds import deliver
from tests.factories import at, make_template, make_user, requires_course, send_passing

pytestmark = pytest.mark.django_db


def load_test(*arguments: str, number: int = 3) -> str:
    output = StringIO()
    call_command("badges_load_test", "--events", str(number), "--yes", *arguments, stdout=output, stderr=StringIO())
    return output.getvalue()


def rows() -> list[list[Any]]:
    models: tuple[Any, ...] = (User, BadgeTemplate, BadgeProgress, BadgeAward, UserCredential, Delivery, FailedEvent)
    return [list(model.objects.order_by("pk").values_list("pk", flat=True)) for model in models]


@pytest.fixture
def real() -> list[list[Any]]:
    """The rows of a site where a learner has earned a badge, who has a name that could be a synthetic one's."""
    requires_course(make_template())
    send_passing(make_user(username=f"{synthetic.USERNAME_PREFIX}1", lms_user_id=7))
    return rows()


@pytest.fixture
def everything() -> Iterator[FakeBackend]:
    """A backend that delivers every badge, those of the site itself included."""

    class Everything(FakeBackend):
        slug = "everything"
        name = "Deliver Everything"

        def handles(self, template: BadgeTemplate) -> bool:
            return True

    backend = Everything()
    registry.register(backend)
    yield backend
    registry.unregister(backend.slug)


def test_tells_rates_and_delays_and_leaves_nothing_behind(real: list[list[Any]]) -> None:
    said = load_test("--in-process")
    assert "Sent: 1 event, then 2 in " in said
    assert "Award of the first event, alone: after 0." in said
    assert "Awarded: 2, " in said
    assert "/s. Delay after the event: 50% 0." in said
    assert "longest 0." in said
    assert "Deleted: 3 synthetic learners and everything of theirs." in said
    assert "Delivered" not in said
    assert rows() == real


class Queue:
    """A bus whose consumer, and the worker, go on while the load test sleeps; it loses events that come too late."""

    def __init__(
        self, at_once: int, *, window: int | None = None, loses_after: int | None = None, delivers: bool = True
    ) -> None:
        self.window = window
        self.longest = 0
        self.now = 0.0
        self._at_once = at_once
        self._left = loses_after
        self._delivers = delivers
        self._waiting: list[DecodedEvent] = []

    def __enter__(self) -> Queue:
        return self

    def __exit__(self, *args: Any) -> None:
        pass

    def send(self, events: Sequence[DecodedEvent]) -> None:
        self._waiting += events
        self.longest = max(self.longest, len(self._waiting))
        if self._left is not None:
            self._waiting = self._waiting[: self._left]
            self._left -= len(self._waiting)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.01)
        taken, self._waiting = self._waiting[: self._at_once], self._waiting[self._at_once :]
        if taken:
            sending.InProcess().send(taken)
        if self._delivers:
            deliver()


def run_of(queue: Queue, number: int, *, rate: float | None = None) -> Run:
    return Run(scene.prepare(), queue, Pace(number, rate, wait=10.0), sleep=queue.sleep, clock=queue.clock)


def test_follows_what_is_sent_to_award_and_delivery(everything: FakeBackend) -> None:
    run = run_of(Queue(at_once=4), 7)
    run.drive()
    first, others = run.follower.awards()
    delivered, failed = run.follower.deliveries()
    assert (len(first.seconds), len(others.seconds), len(delivered.seconds), failed) == (1, 6, 7, 0)
    assert (run.sent, everything.provider.issues) == (6, 7)
    assert cleaning.clean_up() == 7
    assert not Delivery.objects.exists()


def test_sends_at_a_rate() -> None:
    queue = Queue(at_once=100)
    run = run_of(queue, 11, rate=20.0)
    run.drive()
    assert (run.sent, round(run.seconds, 1)) == (10, 0.4)  # two at a time, the last two after 8/20 s


def test_never_lets_more_wait_than_a_stream_keeps() -> None:
    queue = Queue(at_once=1, window=3)
    run = run_of(queue, 9, rate=10.0)
    run.drive()
    assert (run.sent, queue.longest <= 3) == (8, True)


@pytest.mark.parametrize(
    ("loses_after", "says"),
    [(0, "No badge was awarded within 10 s. Is a consumer running"), (2, "4 events of 6 were not applied")],
)
def test_gives_up_when_the_site_does_not_follow(loses_after: int, says: str) -> None:
    with pytest.raises(CannotMeasure, match=says):
        run_of(Queue(at_once=9, loses_after=loses_after), 6).drive()


def test_deliveries_that_nobody_carries_out_are_told(everything: FakeBackend) -> None:
    with pytest.raises(CannotMeasure, match=r"2 deliveries wait.*Is deliver_badges running\?"):
        run_of(Queue(at_once=9, delivers=False), 2).drive()


def test_interrupted_it_tells_what_it_has_measured_and_cleans_up(real: list[list[Any]]) -> None:
    def interrupt(award: BadgeAward, **kwargs: Any) -> None:
        if award.user.lms_user_id == synthetic.FIRST_LMS_USER_ID + 2:
            raise KeyboardInterrupt

    output = StringIO()
    badge_awarded.connect(interrupt)
    try:
        with pytest.raises(CommandError, match="Interrupted") as ended:
            call_command("badges_load_test", "--events=5", "--yes", "--in-process", stdout=output, stderr=StringIO())
    finally:
        badge_awarded.disconnect(interrupt)
    assert ended.value.returncode == 130
    assert "Award of the first event, alone" in output.getvalue()
    assert "Deleted: 1 synthetic learners" in output.getvalue()
    assert rows() == real


def test_what_a_killed_one_left_is_found_and_deleted(real: list[list[Any]]) -> None:
    made = scene.prepare()
    sending.InProcess().send([made.event(number) for number in range(5)])
    event = made.event(9)
    FailedEvent.objects.create(
        fingerprint="f", event_type=event.signal.event_type, metadata={"source": event.metadata.source}
    )
    for arguments in ([], ["--in-process"]):
        with pytest.raises(CommandError, match=r"one was killed.*Run badges_load_test --clean-up"):
            load_test(*arguments)
    assert "Deleted: 5 synthetic learners" in load_test("--clean-up")
    assert rows() == real
    assert "Deleted: 0 synthetic learners" in load_test("--clean-up")


def test_events_that_come_after_the_end_change_nothing(real: list[list[Any]]) -> None:
    late = scene.prepare().event(5)
    cleaning.clean_up()
    sending.InProcess().send([late])
    assert rows() == real
    scene.prepare()  # the next one has another course
    sending.InProcess().send([late])
    assert not cleaning.learners().exists()


def no_events(settings: Any) -> None:
    settings.BADGES_CONFIG = {"events": ["org.openedx.learning.course.enrollment.created.v1"]}


def switched_off(settings: Any) -> None:
    settings.BADGES_ENABLED = False


def same_ids(settings: Any) -> None:
    make_user(username="ada", lms_user_id=synthetic.FIRST_LMS_USER_ID + 1)


def no_producer(settings: Any) -> None:
    settings.EVENT_BUS_PRODUCER = None


@pytest.mark.parametrize(
    ("change", "arguments", "says"),
    [
        (switched_off, ["--in-process"], "switched off"),
        (no_events, ["--in-process"], r"does not have org\.openedx\.learning\.course\.passing"),
        (same_ids, ["--in-process"], "Users have LMS user ids from 2000000000 on"),
        (no_producer, [], "EVENT_BUS_PRODUCER names no producer"),
    ],
)
def test_a_site_that_cannot_be_measured_is_left_alone(
    settings: Any, change: Callable[[Any], None], arguments: list[str], says: str
) -> None:
    change(settings)
    before = rows()
    with pytest.raises(CommandError, match=says):
        load_test(*arguments)
    assert rows() == before


def test_a_provider_gets_nothing_unless_that_was_asked_for(everything: FakeBackend) -> None:
    with pytest.raises(CommandError, match="would be delivered by Deliver Everything"):
        load_test("--in-process")
    assert not BadgeTemplate.objects.exists()
    with pytest.raises(CommandError, match="2 deliveries wait"):
        load_test("--in-process", "--deliver", "--wait", "0.01", number=2)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("answer", ["no", "", None])
def test_asks_before_it_begins(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> None:
    def reply(question: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", reply)
    output = StringIO()
    with pytest.raises(CommandError, match="Nothing was sent"):
        call_command("badges_load_test", "--in-process", stdout=output)
    assert "1000 synthetic learners (badges-load-test-…)" in output.getvalue()
    assert not BadgeTemplate.objects.exists()


class Producer:
    """A producer as those of the libraries are: a failure is only logged."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.fails = False

    def send(self, **event: Any) -> None:
        self.sent.append(event)
        if self.fails:
            logging.getLogger(type(self).__module__).error("Error producing event %s", event["event_metadata"].id)


def test_the_bus_gets_real_events_and_its_failures_are_noticed(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    producer = Producer()
    settings.EVENT_BUS_PRODUCER = "named"
    monkeypatch.setattr(sending, "get_producer", lambda: producer)
    made = scene.prepare()
    with sending.Bus("topic", "learner") as bus:
        bus.send([made.event(4)])
        (sent,) = producer.sent
        assert (sent["topic"], sent["event_key_field"]) == ("topic", "course_passing_status.user.id")
        user = sent["event_data"]["course_passing_status"].user
        assert (user.id, user.pii.username) == (2_000_000_004, f"badges-load-test-{made.token}-4")
        assert user.pii.email == f"{user.pii.username}@badges-load-test.example"
        producer.fails = True
        with pytest.raises(CannotMeasure, match="event bus did not take an event"):
            bus.send([made.event(5)])
    assert logging.getLogger(__name__).level == logging.NOTSET


def test_synthetic_awards_are_not_published(django_capture_on_commit_callbacks: Any) -> None:
    published: list[str] = []

    def hear(badge: Any, **kwargs: Any) -> None:
        published.append(badge.user.pii.username)

    requires_course(make_template())
    made = scene.prepare()
    BADGE_AWARDED.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            sending.InProcess().send([made.event(0)])
            send_passing(make_user(username="ada"))
        BadgeAward.objects.filter(published_at=None, publish_due_at__isnull=False).update(publish_due_at=at(0))
        api.publish_pending()
    finally:
        BADGE_AWARDED.disconnect(hear)
    assert published == ["ada"]
    assert not BadgeAward.objects.exclude(publish_due_at=None).exists()


@pytest.mark.parametrize(
    ("seconds", "percentiles"),
    [
        ([], []),
        ([3.0], [(50, 3.0), (90, 3.0), (99, 3.0), (100, 3.0)]),
        ([float(number) for number in range(100, 0, -1)], [(50, 50.0), (90, 90.0), (99, 99.0), (100, 100.0)]),
        ([-5.0, 1.0], [(50, 0.0), (90, 1.0), (99, 1.0), (100, 1.0)]),  # clocks differ
    ],
)
def test_percentiles(seconds: list[float], percentiles: list[tuple[int, float]]) -> None:
    delays = Delays()
    for each in seconds:
        delays.add(at(0), at(0) + timedelta(seconds=each))
    assert delays.percentiles() == percentiles
