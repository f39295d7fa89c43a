"""A database server, a bus, the LMS side, Credly's simulator, and consumers that are killed and replaced."""

from __future__ import annotations

import contextlib
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import django

from badges_plugin.conf import CONSUMER_GROUP, TOPIC
from sandbox.credly.remote import CredlyControl
from sandbox.demo.processes import Child, Processes
from sandbox.drills.bus_brokers import PREFIX, PUBLIC_TOPIC, Broker
from sandbox.drills.bus_history import News
from sandbox.drills.stage import DISTRIBUTION, MANAGE, wait_until
from tests.services.process import Server

LEARNING = "org.openedx.learning"
CONFIG = {
    "events": [
        f"{LEARNING}.course.passing.status.updated.v1",
        f"{LEARNING}.ccx.course.passing.status.updated.v1",
        f"{LEARNING}.course.enrollment.created.v1",
        f"{LEARNING}.certificate.created.v1",
    ],
    # What takes minutes in production takes seconds here.
    "consumer": {
        "session_timeout": 2,
        "commit_interval": 0.5,
        "poll_timeout": 0.3,
        "patience": 90,
        "max_backoff": 0.5,
        "claim_idle": 3,
        "kafka": {"heartbeat.interval.ms": 500, "reconnect.backoff.max.ms": 1000},
    },
    "distribution": DISTRIBUTION,
}
PUBLISHED = {
    f"{LEARNING}.badge.{what}.v1": {PUBLIC_TOPIC: {"event_key_field": "badge.uuid", "enabled": True}}
    for what in ("awarded", "revoked")
}
CAUGHT_UP_SECONDS = 180.0


class BusStage:
    """Everything there is. ``environment`` is what every process of Credentials is given."""

    def __init__(self, processes: Processes, broker: Broker, database: Server, environment: dict[str, str]) -> None:
        self.processes = processes
        self.broker = broker
        self.database = database
        self.environment = environment
        self.credly = CredlyControl(environment["CREDLY_API_BASE_URL"])
        self.consumers: list[Child] = []
        self.kills = 0
        self._started = 0
        self._flushes = 0
        self._lms = processes.start("lms", [sys.executable, "-m", "sandbox.lms", "stream"], environ=environment)

    def send(self, events: Sequence[News]) -> None:
        """Have the LMS side send them, and wait until the bus has them."""
        for news in events:
            self._lms.send_line(json.dumps(news.command))
        self._lms.send_line('{"flush": true}')
        self._flushes += 1
        self._lms.wait_for(lambda: self._lms.output().count('"flushed"') == self._flushes, "the bus had it", timeout=60)

    def not_sent(self) -> int:
        """Return how many events the LMS side could not send or its producer lost."""
        answers = [json.loads(line) for line in self._lms.output().splitlines()]
        lost = [int(answer["lost"]) for answer in answers if "lost" in answer]
        return sum("error" in answer for answer in answers) + max(lost, default=0)

    def start_consumer(self) -> Child:
        self._started += 1
        consumer = self.manage(
            f"consumer-{self._started}", "consume_events", "-t", TOPIC, "-g", CONSUMER_GROUP, "--extra", "{}"
        )
        self.consumers.append(consumer)
        return consumer

    def kill_and_replace(self, chance: random.Random) -> None:
        """Kill a consumer (SIGKILL): no handler runs, no transaction ends, nothing is acknowledged. Start another."""
        victim = self.consumers.pop(chance.randrange(len(self.consumers)))
        victim.kill()
        self.kills += 1
        self.start_consumer()

    def stop_consumers(self) -> list[int]:
        """Ask all consumers to end (SIGTERM), once they are running. Return their exit codes."""
        for consumer in self.consumers:
            consumer.wait_for(partial(_is_there, consumer), "it was there")
        codes = [consumer.stop() for consumer in self.consumers]
        self.consumers.clear()
        return codes

    def wait_until_consumed(self) -> None:
        """Wait until everything on the topic is acknowledged. A consumer that ends before is an error."""

        def consumed() -> bool:
            ended = [child.name for child in self.consumers if child.exit_code is not None]
            if ended:
                raise RuntimeError(f"{', '.join(ended)} ended unexpectedly")
            return self.broker.left() == 0

        wait_until(consumed, "everything was consumed", timeout=CAUGHT_UP_SECONDS)

    def deliver(self) -> None:
        """Have a worker deliver everything that is due."""
        self.run("worker", "deliver_badges", "--once")

    def run(self, name: str, *arguments: str) -> str:
        """Run a management command to its end and return what it printed."""
        child = self.manage(name, *arguments)
        code = child.wait(timeout=CAUGHT_UP_SECONDS)
        if code:
            raise RuntimeError(f"{name} ended with {code}; see {child.log_path}")
        return child.output()

    def manage(self, name: str, *arguments: str) -> Child:
        return self.processes.start(name, [sys.executable, MANAGE, *arguments], environ=self.environment)


@contextlib.contextmanager
def staged(
    folder: Path,
    broker: contextlib.AbstractContextManager[Broker],
    database_server: contextlib.AbstractContextManager[tuple[Server, Mapping[str, str]]],
) -> Iterator[BusStage]:
    """Start it all but the consumers. Once for a process: Django is set up for this stage."""
    with database_server as (database, leads_to_database), broker as bus, Processes(folder) as processes:
        seed = folder / "credly.seed.json"
        seed.write_text('{"organizations": []}', encoding="utf-8")
        credly = processes.start("credly", [sys.executable, "-m", "sandbox.credly", "--port", "0", "--seed", str(seed)])
        credly.wait_for(lambda: "\n" in credly.output(), "Credly's simulator was ready")
        environment = {
            **leads_to_database,
            **bus.environment,
            "DJANGO_SETTINGS_MODULE": "sandbox.settings",
            "BADGES_SANDBOX_DIR": str(folder),
            "BADGES_SANDBOX_LOG_LEVEL": "INFO",
            "BADGES_ENABLED": "true",
            "BADGES_CONFIG_JSON": json.dumps(CONFIG),
            "CREDLY_API_BASE_URL": credly.output().splitlines()[0],
            "EVENT_BUS_TOPIC_PREFIX": PREFIX,
        }
        # Of Credentials only: the LMS side has a table of its own.
        stage = BusStage(processes, bus, database, environment)
        environment["EVENT_BUS_PRODUCER_CONFIG"] = json.dumps(PUBLISHED)
        os.environ.update(environment)
        django.setup()
        try:
            yield stage
        finally:
            processes.stop_all()


def _is_there(consumer: Child) -> bool:
    return "Consuming " in consumer.log()


def pause(seconds: float) -> None:
    """Give other processes time to work."""
    time.sleep(seconds)
