"""Processes of the LMS that save grades and send events, by the library's own producer or that of the Tutor plugin."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sandbox.demo.processes import Child, Processes
from sandbox.drills.stage import wait_until
from sandbox.lms import settings

REGISTRY_URL = "EVENT_BUS_KAFKA_SCHEMA_REGISTRY_URL"
# Read before Credentials' own is in the environment.
PRODUCER_CONFIG = json.dumps(settings.EVENT_BUS_PRODUCER_CONFIG)
LINE = "Error delivering message to Kafka event bus"
ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Lms:
    """How its processes are started. ``environment`` leads them to bus and database."""

    processes: Processes
    environment: Mapping[str, str]
    course: str

    def start(self, *, guarded: bool = True, registry: str | None = None) -> LmsProcess:
        """Start a process. It ends as those of the platform do: without waiting for its client."""
        own = {**self.environment, "EVENT_BUS_PRODUCER_CONFIG": PRODUCER_CONFIG}
        if registry is not None:
            own[REGISTRY_URL] = registry
        if guarded:
            own["LMS_IN_TUTOR"] = "true"
        command = [sys.executable, "-m", "sandbox.lms", "stream", "--as-the-platform"]
        name = f"lms-{len(list(self.processes.folder.glob('lms-*.log')))}"
        return LmsProcess(self.processes.start(name, command, environ=own), self.course)


class LmsProcess:
    """One of them."""

    def __init__(self, child: Child, course: str) -> None:
        self._child = child
        self._course = course
        self._asked = 0

    def grade(self, learners: Iterable[int], *, is_passing: bool = True, patience: float = ANSWER_SECONDS) -> float:
        """Grade learners. Return the longest time that one of them took. Raises TooSlow."""
        longest = 0.0
        for number in learners:
            started = time.monotonic()
            self._ask({**self._passing(number), "is_passing": is_passing}, patience)
            longest = max(longest, time.monotonic() - started)
        return longest

    def flush(self, *, patience: float = ANSWER_SECONDS) -> int:
        """Wait until the client has delivered or given up everything. Return how many events it reported as lost."""
        return int(json.loads(self._ask({"flush": True}, patience))["lost"])

    def end(self, *, after: Iterable[int] = ()) -> float:
        """Let it end, at once after it has graded these learners. Return how long that took."""
        started = time.monotonic()
        for number in after:
            self._child.send_line(json.dumps(self._passing(number)))
        self._child.end_input()
        self._child.wait()
        return time.monotonic() - started

    def kill(self) -> None:
        self._child.kill()

    def reported_losses(self) -> int:
        """Return how many events its log names as lost: the line that an operator has to look for."""
        return self._child.log().count(LINE)

    def _passing(self, number: int) -> dict[str, object]:
        return {"event": "passing", "user_id": number, "username": name_of(number), "course": self._course}

    def _ask(self, command: Mapping[str, object], patience: float) -> str:
        self._child.send_line(json.dumps(command))
        self._asked += 1
        wait_until(lambda: self._child.output().count("\n") >= self._asked, "the LMS answered", timeout=patience)
        return self._child.output().splitlines()[self._asked - 1]


def name_of(number: int) -> str:
    """Return the user name of a learner."""
    return f"learner{number}"
