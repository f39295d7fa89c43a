"""Processes say that they run, and workers measure how far consumers are behind: staff and the monitoring read it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from badges_plugin import vitals
from badges_plugin.consumers.exceptions import Unmeasured
from badges_plugin.consumers.lag import Lag
from badges_plugin.consumers.lag_watch import LagWatch
from badges_plugin.doctor import Level, lag_probe
from badges_plugin.models import ConsumerGroup, RunningProcess
from badges_plugin.vitals import GroupName, Kind, Running, Vitals

GROUP = GroupName("kafka", "dev-topic", "credentials-badges")
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


@pytest.mark.django_db
def test_a_consumer_reports_twice_a_minute_and_says_when_it_ends(django_assert_num_queries: Any) -> None:
    seconds, counts = 0.0, Counter(applied=2, failed=1)
    signs = Vitals(Kind.CONSUMER, GROUP, counts, clock=lambda: seconds)
    signs.report_when_due()
    counts.update(applied=5)
    seconds = 29.0
    with django_assert_num_queries(0):
        signs.report_when_due()
    assert {outcome: number for _, outcome, number in vitals.event_counts()} == {"applied": 2, "failed": 1}

    seconds = 30.0
    signs.report_when_due()
    signs.report_when_due()
    other = Vitals(Kind.CONSUMER, GROUP, Counter(applied=3))
    other.report_when_due()
    assert vitals.event_counts() == [(GROUP, "applied", 10), (GROUP, "failed", 1)]
    consumers, workers = vitals.running(timezone.now())
    assert (consumers.number, workers) == (1, Running(Kind.WORKER, 0, None))

    signs.end()
    consumers, _ = vitals.running(timezone.now())
    assert consumers.number == 0
    assert consumers.last_report is not None


@pytest.mark.django_db
def test_what_could_not_be_reported_is_reported_later() -> None:
    counts = Counter(applied=4)
    signs = Vitals(Kind.CONSUMER, GROUP, counts, clock=iter(range(0, 1000, 40)).__next__)

    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        if "badges_plugin_eventcount" in sql:
            raise DatabaseError("gone")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        signs.report_when_due()  # and goes on
    assert counts == {"applied": 4}
    assert not RunningProcess.objects.exists()
    counts.update(applied=1)
    signs.report_when_due()
    assert vitals.event_counts() == [(GROUP, "applied", 5)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("beats", "number", "level", "says"),
    [
        ([], 0, None, ""),  # nothing was ever started: the doctor of the first hour
        ([(ago(seconds=20), None), (ago(minutes=2), None)], 2, Level.OK, "that run: 2"),
        ([(ago(seconds=20), None), (ago(hours=2), None)], 1, Level.OK, "that run: 1"),  # one was killed and replaced
        ([(ago(hours=3), None)], 0, Level.ERROR, "No worker has reported for 3 hours"),
        ([(ago(minutes=1), ago(minutes=1))], 0, Level.ERROR, "for 60 seconds"),  # stopped, and not started again
    ],
)
def test_what_runs(
    monkeypatch: pytest.MonkeyPatch,
    beats: Sequence[tuple[datetime, datetime | None]],
    number: int,
    level: Level | None,
    says: str,
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    for position, (beat, ended) in enumerate(beats):
        RunningProcess.objects.create(
            kind=Kind.WORKER, name=f"host:{position}", started_at=ago(days=1), beat_at=beat, ended_at=ended
        )
    assert vitals.running(NOW)[1].number == number
    found = [(finding.level, finding.what) for finding in lag_probe.processes()]
    assert [each for each, _ in found] == ([] if level is None else [level])
    assert all(says in what for _, what in found)


def a_group(**facts: Any) -> ConsumerGroup:
    return ConsumerGroup.objects.create(
        **{"bus": "kafka", "topic": "dev-topic", "group": "g", "seen_at": NOW, "due_at": ago(seconds=1), **facts}
    )


def measured_by(watch: LagWatch, now: datetime) -> None:
    """Step until the answer is kept: the bus is asked in a thread."""
    watch.step(now)
    asked = watch._asked
    assert asked is not None
    asked[1].exception(timeout=10)
    watch.step(now)


@pytest.mark.django_db
def test_a_worker_measures_each_group_once_a_minute(settings: Any) -> None:
    settings.EVENT_BUS_CONSUMER = "badges_plugin.consumers.kafka.KafkaConsumer"
    settings.EVENT_BUS_PRODUCER = ""
    a_group()
    a_group(bus="redis", group="of the bus before")
    asked = []

    def measure(bus: str, topic: str, group: str) -> list[Lag]:
        asked.append((bus, topic, group))
        return [Lag(0, 0, None), Lag(1, 7, ago(seconds=90)), Lag(2, 3, None)]

    one, other = LagWatch(measure), LagWatch(measure)
    measured_by(one, NOW)
    other.step(NOW)
    assert asked == [("kafka", "dev-topic", "g")]

    ours, before = vitals.group_lags(NOW + timedelta(minutes=1))
    assert [(each.partition, each.messages, each.seconds) for each in ours.partitions] == [
        (0, 0, 0), (1, 7, 90), (2, 3, None),
    ]  # fmt: skip
    assert (ours.messages, ours.seconds, before.partitions) == (10, 90, ())
    # Nobody measures any more: what is known says nothing about now.
    assert vitals.group_lags(NOW + timedelta(minutes=6))[0].partitions == ()

    measured_by(other, NOW + timedelta(seconds=60))
    assert len(asked) == 2


@pytest.mark.django_db
def test_a_bus_that_does_not_answer_is_asked_again(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.EVENT_BUS_CONSUMER = "badges_plugin.consumers.redis.RedisConsumer"
    a_group(bus="redis")
    answers: list[Any] = [Unmeasured("Redis says no"), [Lag(0, None, ago(seconds=5))]]

    def measure(*names: str) -> list[Lag]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    watch = LagWatch(measure)
    with caplog.at_level(logging.WARNING, logger="badges_plugin"):
        measured_by(watch, NOW)
    assert "Redis says no" in vitals.group_lags(NOW)[0].problem
    later = NOW + timedelta(minutes=1)
    measured_by(watch, later)
    [found] = vitals.group_lags(later)
    assert (found.problem, [(each.messages, each.seconds) for each in found.partitions]) == ("", [(None, 65)])


@pytest.mark.django_db
def test_what_has_long_been_gone_is_forgotten() -> None:
    RunningProcess.objects.create(kind=Kind.WORKER, name="old", started_at=NOW, beat_at=ago(days=31))
    RunningProcess.objects.create(kind=Kind.WORKER, name="new", started_at=NOW, beat_at=ago(days=29))
    a_group(seen_at=ago(days=31))
    kept = a_group(group="kept", seen_at=ago(days=29))
    assert vitals.forget(NOW) is False
    assert list(RunningProcess.objects.values_list("name", flat=True)) == ["new"]
    assert list(ConsumerGroup.objects.all()) == [kept]


@pytest.mark.parametrize(
    ("lags", "level", "says"),
    [
        ([], Level.OK, "has processed all"),
        ([Lag(0, 0, None), Lag(1, 0, None)], Level.OK, "has processed all"),
        ([Lag(0, 5, ago(seconds=90))], Level.OK, "5 events wait for group g, the first of them for 90 seconds."),
        ([Lag(0, 5, None)], Level.OK, "5 events wait"),  # since when is not known
        ([Lag(0, 1, ago(minutes=5)), Lag(1, 2, NOW), Lag(2, 0, None)], Level.WARNING, "by partition: {0: 1, 1: 2}"),
        ([Lag(0, 5, ago(hours=3))], Level.ERROR, "for 3 hours"),
        ([Lag(0, None, ago(minutes=10))], Level.WARNING, "An unknown number of events"),
        ([Lag(0, 1, NOW + timedelta(minutes=9))], Level.OK, "for 0 seconds"),  # the clock of the broker is fast
    ],
)  # fmt: skip
def test_the_doctor_says_how_far_behind_a_group_is(lags: Sequence[Lag], level: Level, says: str) -> None:
    [finding] = lag_probe.lag("g", lags, NOW)
    assert finding.level is level
    assert says in finding.what
    assert bool(finding.advice) is (level is not Level.OK)
