"""Credly's simulator, workers and a database, each as a process of its own, and Django set up in this one."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import django

from sandbox.credly.remote import CredlyControl
from sandbox.demo.processes import Child, Processes
from sandbox.drills.database import own_database

MANAGE = str(Path(__file__).resolve().parents[1] / "manage.py")
POLL_SECONDS = 0.1

# Everything that takes minutes in production takes seconds here. The lease is as short as it may be: a claim may send
# until ``request_timeout`` and a margin of 5 s before its end.
DISTRIBUTION: Mapping[str, float] = {
    "lease": 10,
    "request_timeout": 2,
    "retry_first": 0.5,
    "retry_cap": 4,
    "retry_settle": 1,
    "retry_throttled": 1,
    "retry_breaker_first": 0.5,
    "retry_breaker_cap": 2,
}


class TooSlow(RuntimeError):
    """Raised when something does not happen in time."""


class Stage:
    """Where the drills of deliveries take place. ``environment`` is what every process of it is given."""

    def __init__(
        self,
        processes: Processes,
        *,
        settings: str,
        distribution: Mapping[str, float],
        environment: Mapping[str, str],
    ) -> None:
        self.processes = processes
        self._state = processes.folder / "credly.state"
        # No organizations but those that the drills make.
        seed = processes.folder / "credly.seed.json"
        seed.write_text('{"organizations": []}', encoding="utf-8")
        self._arguments = ("--state", str(self._state), "--seed", str(seed))
        self._simulator = self._start_simulator("0")
        url = self._simulator.output().splitlines()[0]
        self.credly = CredlyControl(url)
        self.workers: list[Child] = []
        self._started = 0
        self.environment = {
            "DJANGO_SETTINGS_MODULE": settings,
            "BADGES_SANDBOX_DIR": str(processes.folder),
            "BADGES_SANDBOX_LOG_LEVEL": "WARNING",
            "BADGES_ENABLED": "true",
            "BADGES_CONFIG_JSON": json.dumps({"distribution": dict(distribution)}),
            "CREDLY_API_BASE_URL": url,
            **environment,
        }

    def start_worker(self, *, concurrency: int = 4) -> Child:
        """Start one more worker."""
        self._started += 1
        arguments = ["deliver_badges", "--interval", "0.2", "--concurrency", str(concurrency), "--skip-checks"]
        name = f"worker-{self._started}"
        worker = self.processes.start(name, [sys.executable, MANAGE, *arguments], environ=self.environment)
        self.workers.append(worker)
        return worker

    def kill_worker(self, worker: Child) -> None:
        """Kill a worker (SIGKILL): no handler runs, no transaction ends, no socket is closed by the program."""
        self.workers.remove(worker)
        worker.kill()

    def stop_workers(self) -> list[int]:
        """Ask all workers to end (SIGTERM). Return their exit codes."""
        codes = [worker.stop() for worker in self.workers]
        self.workers.clear()
        return codes

    def cut_credly_off(self) -> None:
        """Take Credly down: connections are refused until ``bring_credly_back``. It keeps its state."""
        self._simulator.kill()

    def bring_credly_back(self) -> None:
        """Start the same Credly again at the same URL."""
        port = self.credly.url.rsplit(":", 1)[1].split("/", 1)[0]
        self._simulator = self._start_simulator(port)

    def _start_simulator(self, port: str) -> Child:
        arguments = [sys.executable, "-m", "sandbox.credly", "--port", port, *self._arguments]
        simulator = self.processes.start("credly", arguments)
        simulator.wait_for(lambda: "\n" in simulator.output(), "Credly's simulator was ready")
        return simulator


@contextlib.contextmanager
def staged(
    folder: Path,
    *,
    settings: str = "sandbox.settings",
    distribution: Mapping[str, float] = DISTRIBUTION,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Stage]:
    """Everything but the workers. Once for a process: Django is set up for this stage.

    ``environment`` is given to every process of it as well.
    """
    with Processes(folder) as processes:
        stage = Stage(processes, settings=settings, distribution=distribution, environment=environment or {})
        os.environ.update({**stage.environment, "BADGES_SANDBOX_LOG_LEVEL": "ERROR"})
        django.setup()
        with own_database() as leads_to_it:
            stage.environment.update(leads_to_it)
            try:
                yield stage
            finally:
                # Before their database is dropped.
                processes.stop_all()


def wait_until(condition: Callable[[], bool], what: str, *, timeout: float) -> None:
    """Poll until the condition is true. Raises TooSlow."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TooSlow(f"{what}: not within {timeout:g} s")
        time.sleep(POLL_SECONDS)
