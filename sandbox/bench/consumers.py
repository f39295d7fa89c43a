"""Have the LMS side send events, and a consumer, a process of its own, read them. Needs Django."""

from __future__ import annotations

import itertools
import json
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import NamedTuple

from badges_plugin.consumers.config import ConsumerConfig
from sandbox.bench.log import Progress, Turn, read
from sandbox.bench.scene import Bus
from sandbox.demo.processes import Child
from sandbox.drills.badges import PASSING
from sandbox.drills.stage import MANAGE, Stage
from sandbox.environment import NO_BUS_PRODUCER

# By learner: the embedded broker holds no more than 5 MB in a partition.
KEY = "course_passing_status.user.pii.username"
CONSUMED_SECONDS = 900.0
# Rarely: looking takes processor time from the measurement.
LOOK_SECONDS = 0.5
TURN_SECONDS = 0.4
"""Some batches long: what was half done goes on in the next turn, but the database does not wait for that."""
MOST_TURNS = 1000
_learners = itertools.count(1)
_consumers = itertools.count(1)


@dataclass(frozen=True)
class Learner:
    """Somebody whom the LMS knows."""

    id: int
    username: str

    def passes(self, course: str) -> str:
        """Return the command for ``sandbox.lms``."""
        who = {"user_id": self.id, "username": self.username}
        return json.dumps({"event": "passing", "course": course, "is_passing": True, **who})


class Comparison(NamedTuple):
    """Two rates at the same time, in events a second."""

    rate: float
    other: float

    @property
    def multiple(self) -> float:
        """Return how many times as long an event takes."""
        return self.other / self.rate


def learners(count: int, name: str = "learner") -> list[Learner]:
    """Return this many new learners."""
    return [Learner(number, f"{name}-{number}") for number in itertools.islice(_learners, count)]


def batches_of(size: int) -> dict[str, int]:
    """Return the consumers' setting for batches of this size; nothing before there were any."""
    name = "batch_size"
    return {name: size} if name in {each.name for each in fields(ConsumerConfig)} else {}


class Topics:
    """The topics of one bus."""

    def __init__(self, stage: Stage, bus: Bus) -> None:
        self._stage = stage
        self._bus = bus

    def lms(self, topic: str) -> Child:
        """Start an LMS side that sends commands of its standard input to the topic."""
        config = {PASSING: {topic: {"event_key_field": KEY, "enabled": True}}}
        environment = {**self._bus.environment, "EVENT_BUS_PRODUCER_CONFIG": json.dumps(config)}
        arguments = [sys.executable, "-m", "sandbox.lms", "stream"]
        return self._stage.processes.start(f"lms-{topic}-{self._bus.name}", arguments, environ=environment)

    def send(self, topic: str, commands: Iterable[str]) -> None:
        """Send, and return when the bus has it all."""
        lms = self.lms(topic)
        for command in commands:
            lms.send_line(command)
        lms.end_input()
        if code := lms.wait(timeout=CONSUMED_SECONDS):
            raise RuntimeError(f"The LMS side ended with {code}: {lms.log()[-300:]}")

    def consume(
        self,
        topic: str,
        count: int,
        *,
        stored: int = 0,
        batch: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Progress:
        """Have a new consumer with a new group apply everything on the topic; ``stored`` events of it fail."""
        return self._finish(self.consumer(topic, batch=batch, environment=environment), count, stored)

    def compare(
        self, topic: str, count: int, other_topic: str, other_count: int, other_environment: Mapping[str, str]
    ) -> Comparison:
        """Have two new consumers read by turns: one applies everything on the topic, the other reads a longer one.

        The speed of a machine changes within seconds. Who does not have the turn is stopped, wherever it is.
        """
        with self._begun(other_topic, other_environment) as other, self._begun(topic) as one:
            turns: dict[Child, list[Turn]] = {one: [], other: []}
            while one.exit_code is None and read(one.log()).handled < count:
                for consumer, seconds in ((one, TURN_SECONDS), (other, TURN_SECONDS / 2)):
                    consumer.signal(signal.SIGCONT)
                    began = datetime.now()  # noqa: DTZ005 - as the log has it
                    time.sleep(seconds)
                    consumer.signal(signal.SIGSTOP)
                    turns[consumer].append((began, datetime.now()))  # noqa: DTZ005
                if len(turns[one]) == MOST_TURNS:
                    raise RuntimeError(f"{count} events were not applied in {MOST_TURNS * TURN_SECONDS:.0f} s")
            other.kill()
            one.signal(signal.SIGCONT)
            seen, others = self._finish(one, count), read(other.log())
        if others.handled >= other_count:
            raise RuntimeError(f"The other topic has too few events to compare with: {other_count}")
        return Comparison(seen.rate_in(turns[one]), others.rate_in(turns[other]))

    @contextmanager
    def _begun(self, topic: str, environment: Mapping[str, str] | None = None) -> Iterator[Child]:
        """Start a consumer, and stop it for the time being when it has applied something. It is killed in the end."""
        consumer = self.consumer(topic, environment=environment)
        try:
            consumer.wait_for(lambda: read(consumer.log()).handled > 0, "it had begun", timeout=CONSUMED_SECONDS)
            consumer.signal(signal.SIGSTOP)
            yield consumer
        finally:
            consumer.kill()

    def _finish(self, consumer: Child, count: int, stored: int = 0) -> Progress:
        def handled() -> bool:
            time.sleep(LOOK_SECONDS)
            return read(consumer.log()).handled >= count

        consumer.wait_for(handled, "everything was applied", timeout=CONSUMED_SECONDS)
        if code := consumer.stop():
            raise RuntimeError(f"The consumer ended with {code}: {consumer.log()[-300:]}")
        seen = read(consumer.log())
        if (seen.handled, seen.stored) != (count, stored):
            raise RuntimeError(f"{seen.handled} of {count} events were handled and {seen.stored} stored, not {stored}")
        return seen

    def consumer(self, topic: str, *, batch: int | None = None, environment: Mapping[str, str] | None = None) -> Child:
        """Start a consumer with a group of its own. ``batch``: how many events it takes at once, if not the default."""
        number = next(_consumers)
        variables = {
            **self._stage.environment,
            **self._bus.environment,
            # Awards are announced in its process only.
            "EVENT_BUS_PRODUCER": NO_BUS_PRODUCER,
            # When it applied what is taken from its log.
            "BADGES_SANDBOX_LOG_LEVEL": "INFO",
            **(environment or {}),
        }
        if batch is not None:
            variables["BADGES_CONFIG_JSON"] = json.dumps({"distribution": {}, "consumer": batches_of(batch)})
        arguments = [sys.executable, MANAGE, "consume_events", "-t", topic, "-g", f"bench-{number}", "--extra", "{}"]
        return self._stage.processes.start(f"consumer-{number}", arguments, environ=variables)
