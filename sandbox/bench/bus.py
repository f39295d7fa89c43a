"""Measure the way from a real broker to a committed award, relative to a receiver that does nothing. Needs Django."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from statistics import median

from badges_plugin import api
from badges_plugin.models import BadgeAward
from sandbox.demo.processes import Child
from sandbox.drills.badges import PASSING, CredlyBadge
from sandbox.drills.bus_brokers import PREFIX, kafka, redis
from sandbox.drills.bus_stage import PUBLISHED
from sandbox.drills.stage import MANAGE, Stage
from sandbox.drills.tables import table
from sandbox.environment import NO_BUS_PRODUCER
from tests.services.process import ServiceFailedError, ServiceMissingError

EVENTS = 1000
ROUNDS = 3
KEY = "course_passing_status.course.course_key"
NOTHING = "a receiver that does nothing"
NO_MATCH = "no template matches"
AWARD = "awards a Credly badge to a new learner"
AND_PUBLISHED = "the same, and publishes it on the bus"
CONSUMED_SECONDS = 600.0
# Rarely: polling takes processor time from the measurement.
LOOK_SECONDS = 1.0
_APPLIED = re.compile(r"^(\S+ \S+) INFO badges_plugin\.consumers\.applying: Applied ", re.MULTILINE)

Bus = tuple[str, Mapping[str, str]]
"""Its name, for people, and the environment that leads to it."""


def print_ratios(stage: Stage) -> None:
    """Print, for Kafka and for Redis, events per second by receiver, and the time as a multiple."""
    print(
        f"\nEvents from a broker: {EVENTS} to one consumer, a process of its own, from the first applied to the last; "
        f"medians of\n{ROUNDS} rounds, and the time as a multiple of a receiver that does nothing. An award is "
        "committed, with\nits delivery to Credly, when it counts. "
        "The database of tests.services does not flush at each commit."
    )
    for opened in (_kafka, _redis):
        with opened(stage) as (name, environment):
            if environment:
                _print_table(name, _Bench(stage, environment).measure())
            else:
                print(f"\n{name}")


def _print_table(name: str, rounds: list[Mapping[str, float]]) -> None:
    rows = []
    for receiver in rounds[0]:
        rates = [rates[receiver] for rates in rounds]
        multiples = [rates[NOTHING] / rates[receiver] for rates in rounds]
        each = ", ".join(f"{multiple:.1f}" for multiple in multiples)
        rate = median(rates)
        rows.append([receiver, f"{rate:.0f}", f"{1000 / rate:.2f}", f"{median(multiples):.1f}", each])
    print(f"\n{name}:")
    print(table(["", "per second", "ms", "x", "x in each round"], rows), flush=True)


class _Bench:
    """Measures on one bus. Every round has its own topics and badges, every measurement a new group."""

    def __init__(self, stage: Stage, bus: Mapping[str, str]) -> None:
        self._stage = stage
        self._bus = {**bus, "EVENT_BUS_TOPIC_PREFIX": PREFIX}
        self._name = bus["EVENT_BUS_PRODUCER"].partition(".")[0]

    def measure(self) -> list[Mapping[str, float]]:
        """Return, for every round, the events per second by receiver."""
        return [self._round(f"{self._name}-bench-{number}") for number in range(1, ROUNDS + 1)]

    def _round(self, name: str) -> Mapping[str, float]:
        first, second = (CredlyBadge(self._stage.credly, f"{name}-{number}") for number in (1, 2))
        api.deactivate_template(first.template)
        for badge in (first, second):
            self._send(badge)
        rates = {
            NOTHING: self._rate(first, "nothing", DJANGO_SETTINGS_MODULE="sandbox.bench.idle", BADGES_ENABLED="false"),
            NO_MATCH: self._rate(first, "no-match"),
        }
        self._demand_awards(first, 0)
        api.activate_template(first.template)
        rates[AWARD] = self._rate(first, "award", EVENT_BUS_PRODUCER=NO_BUS_PRODUCER)
        rates[AND_PUBLISHED] = self._rate(second, "award", EVENT_BUS_PRODUCER_CONFIG=json.dumps(PUBLISHED))
        for badge in (first, second):
            self._demand_awards(badge, EVENTS)
        return rates

    def _send(self, badge: CredlyBadge) -> None:
        """Let new learners pass the course. Return when the bus has all events."""
        config = {PASSING: {badge.name: {"event_key_field": KEY, "enabled": True}}}
        environment = {**self._bus, "EVENT_BUS_PRODUCER_CONFIG": json.dumps(config)}
        arguments = [sys.executable, "-m", "sandbox.lms", "stream"]
        lms = self._stage.processes.start(f"lms-{badge.name}", arguments, environ=environment)
        for learner in badge.learners(EVENTS):
            pii = learner.pii
            who = {"user_id": learner.id, "username": pii.username, "email": pii.email, "name": pii.name}
            lms.send_line(json.dumps({"event": "passing", "course": badge.course, "is_passing": True, **who}))
        lms.end_input()
        code = lms.wait()
        if code:
            raise RuntimeError(f"The LMS side ended with {code}; see {lms.log_path}")

    def _rate(self, badge: CredlyBadge, group: str, **variables: str) -> float:
        """Have a new group consume the badge's topic; returns the events in a second."""
        # The times are taken from its log.
        environment = {**self._stage.environment, **self._bus, "BADGES_SANDBOX_LOG_LEVEL": "INFO", **variables}
        arguments = [sys.executable, MANAGE, "consume_events", "-t", badge.name, "-g", group, "--extra", "{}"]
        consumer = self._stage.processes.start(f"consumer-{badge.name}-{group}", arguments, environ=environment)
        consumer.wait_for(lambda: _all_applied(consumer), "everything was applied", timeout=CONSUMED_SECONDS)
        code = consumer.stop()
        if code:
            raise RuntimeError(f"The consumer ended with {code}; see {consumer.log_path}")
        moments = _applied(consumer)
        if len(moments) != EVENTS:
            raise RuntimeError(f"{len(moments)} events were applied, not {EVENTS}; see {consumer.log_path}")
        return (EVENTS - 1) / (moments[-1] - moments[0]).total_seconds()

    def _demand_awards(self, badge: CredlyBadge, count: int) -> None:
        awards = BadgeAward.objects.filter(progress__template=badge.template.pk, published_at__isnull=False)
        if awards.count() != count:
            raise RuntimeError(f"{awards.count()} awards of {badge.name}, not {count}")


def _all_applied(consumer: Child) -> bool:
    time.sleep(LOOK_SECONDS)
    return len(_applied(consumer)) >= EVENTS


def _applied(consumer: Child) -> list[datetime]:
    """Return when each event was applied, to the millisecond."""
    return [datetime.fromisoformat(moment) for moment in _APPLIED.findall(consumer.log())]


@contextlib.contextmanager
def _kafka(stage: Stage) -> Iterator[Bus]:
    """Return Apache Kafka, or the embedded broker if it is not installed."""
    with contextlib.ExitStack() as stack:
        try:
            broker = stack.enter_context(kafka())
        except (ServiceMissingError, ServiceFailedError) as error:
            yield f"The embedded broker, because there is no Apache Kafka ({error})", _embedded(stage)
        else:
            yield "Apache Kafka with a schema registry", broker.environment


@contextlib.contextmanager
def _redis(stage: Stage) -> Iterator[Bus]:
    """Return Redis, without an environment if it is not installed."""
    with contextlib.ExitStack() as stack:
        try:
            broker = stack.enter_context(redis())
        except (ServiceMissingError, ServiceFailedError) as error:
            yield f"Redis was not measured ({error})", {}
        else:
            yield "Redis Streams", broker.environment


def _embedded(stage: Stage) -> Mapping[str, str]:
    bus = stage.processes.start("bus", [sys.executable, "-m", "sandbox.bus"]).wait_for_json()
    return {
        "EVENT_BUS_KAFKA_BOOTSTRAP_SERVERS": bus["bootstrap_servers"],
        "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL": bus["registry_url"],
        "EVENT_BUS_PRODUCER": "edx_event_bus_kafka.create_producer",
        "EVENT_BUS_CONSUMER": "badges_plugin.consumers.kafka.KafkaConsumer",
    }
