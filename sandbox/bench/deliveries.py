"""Measure how many badges a worker delivers per second. Needs Django."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from sandbox.bench.goals import Measured
from sandbox.bench.scene import Scene
from sandbox.drills.badges import CredlyBadge, add_site
from sandbox.drills.books import wait_until_settled

LATENCY_SECONDS = 0.2
CONCURRENCY = 16
OWN_REQUESTS = 50
# Whole rounds of requests, so that no thread is idle in the last one; so many that the start, when each thread opens a
# connection and the process claims for the first time, counts as little as in a real backlog.
BADGES = 200 * CONCURRENCY
FEWER_BADGES = 80 * CONCURRENCY
_STAT_UTIME = 11


def measure(scene: Scene) -> Iterator[Measured]:
    """Have one worker deliver a backlog to a Credly that takes 200 ms for each request."""
    add_site()
    ideal = CONCURRENCY / LATENCY_SECONDS
    rounds = [_measure(scene, f"round {number}") for number in range(scene.size(3, 1))]
    rate = median(rate for rate, _ in rounds)
    each = ", ".join(f"{rate:.1f}" for rate, _ in rounds)
    cpu = f"{median(cpu for _, cpu in rounds):.1f} ms CPU of the worker for each"
    yield Measured("credly deliveries", rate, f"{rate / ideal:.0%} of the ideal {ideal:.0f}/s; rounds: {each}; {cpu}")


def _measure(scene: Scene, name: str) -> tuple[float, float]:
    """Return the badges per second, from the first to the last that Credly issues, and the cost of each."""
    stage = scene.stage
    badge = CredlyBadge(stage.credly, name)
    badge.award(badge.learners(scene.size(BADGES, FEWER_BADGES)))
    # A request takes so long as a whole, with what the simulator needs for it.
    stage.credly.slow_down(LATENCY_SECONDS - _own_seconds(stage.credly.url))
    worker = stage.start_worker(concurrency=CONCURRENCY)
    wait_until_settled(badge, timeout=300)
    cpu = _cpu_seconds(worker.pid)
    stage.stop_workers()
    stage.credly.behave()
    issued = [
        datetime.fromisoformat(row["created_at"]) for row in stage.credly.badges(organization_id=badge.organization_id)
    ]
    # Credly counts a badge at the end of its request: the first ones had begun a request's time before.
    seconds = (max(issued) - min(issued)).total_seconds() + LATENCY_SECONDS
    return len(issued) / seconds, 1000 * cpu / len(issued)


def _own_seconds(url: str) -> float:
    """Return how long a request to the simulator takes that is refused at once, on an open connection."""
    connection = HTTPConnection(urlsplit(url).netloc)
    taken = []
    for _ in range(OWN_REQUESTS):
        began = time.perf_counter()
        connection.request("GET", "/v1/organizations")
        connection.getresponse().read()
        taken.append(time.perf_counter() - began)
    connection.close()
    return median(taken)


def _cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that the process has used, including its start; 0 if unknown."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[_STAT_UTIME]) + int(fields[_STAT_UTIME + 1])
    return ticks / os.sysconf("SC_CLK_TCK")
