"""A database server, a bus, the LMS side, Credly's simulator, and consumers that are killed and replaced."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import django

from badges_plugin.conf import CONSUMER_GROUP, TOPIC
from sandbox.credly.remote import CredlyControl
from sandbox.demo.processes import Child, Processes
from sandbox.drills.bus_brokers import PREFIX, PUBLIC_TOPIC, Broker
from sandbox.drills.bus_history import News
from sandbox.drills.stage import DISTRIBUTION, MANAGE, wait_until
from tests.services.process import Server

LEARNING = "org.openedx.learning"
CONFIG: Mapping[str, Any] = {
    "events": [
        f"{LEARNING}.course.passing.status.updated.v1",
        f"{LEARNING}.ccx.course.passing.status.updated.v1",
        f"{LEARNING}.course.enrollment.created.v1",
        f"{LEARNING}.certificate.created.v1",
    ],
    # What takes minutes in production takes seconds here.
    "consumer": {
        # Long enough that batches are full.
        "batch_milliseconds": 50,
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
# Of consumers side by side.
BATCH_SIZES = (1, 3, 10, 30, 100, 200)


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

    def start_consumer(self, batch_size: int = 150) -> Child:
        self._started += 1
        config = {**CONFIG, "consumer": {**CONFIG["consumer"], "batch_size": batch_size}}
        consumer = self.processes.start(
            f"consumer-{self._started}",
            [sys.executable, MANAGE, "consume_events", "-t", TOPIC, "-g", CONSUMER_GROUP, "--extra", "{}"],
            environ={**self.environment, "BADGES_CONFIG_JSON": json.dumps(config)},
        )
        self.consumers.append(consumer)
        return consumer

    def doom(self, chance: random.Random, order: signal.Signals) -> Child:
        """Tell a consumer, once it is running, to die when it is next where the order says. Return it."""
        victim = chance.choice([each for each in self.consumers if _is_there(each)] or self.consumers)
        victim.wait_for(partial(_is_there, victim), "it was there")
        victim.signal(order)
        return victim

    def kill_and_replace(self, chance: random.Random, doomed: Child | None = None) -> bool:
        """Kill a consumer (SIGKILL): no handler runs, no transaction ends, nothing is acknowledged. Start another.

        Return whether it is the doomed one, and has died already as it was told to.
        """
        victim = doomed or chance.choice(self.consumers)
        self.consumers.remove(victim)
        obeyed = victim.exit_code is not None
        victim.kill()
        self.kills += 1
        self.start_consumer(chance.choice(BATCH_SIZES))
        return obeyed

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

    def run(self, name: str, *arguments: str, expected: int = 0) -> str:
        """Run a management command to its end, with the expected exit code, and return what it printed."""
        child = self.manage(name, *arguments)
        code = child.wait(timeout=CAUGHT_UP_SECONDS)
        if code != expected:
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
            "DJANGO_SETTINGS_MODULE": "sandbox.drills.faulty_host",
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
