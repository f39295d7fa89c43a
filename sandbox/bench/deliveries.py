"""Measure how many badges a worker delivers per second. Needs Django."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from sandbox.drills.badges import CredlyBadge
from sandbox.drills.books import wait_until_settled
from sandbox.drills.catalog import Number
from sandbox.drills.stage import Stage
from sandbox.drills.tables import table

LATENCY_SECONDS = 0.2
CONCURRENCY = 16
BADGES = 600
ROUNDS = 3
WANTED_PER_SECOND = 60
_STAT_UTIME = 11


def print_throughput(stage: Stage) -> None:
    """Print the throughput of one worker with a backlog and a Credly that takes 200 ms for each request."""
    ideal = CONCURRENCY / LATENCY_SECONDS
    rows: list[list[Number]] = []
    for number in range(1, ROUNDS + 1):
        rate, cpu = _measure(stage, f"round {number}")
        rows.append([f"round {number}", BADGES, rate, f"{rate / ideal:.0%}", cpu])
    print(
        f"\nDeliveries: one worker, --concurrency {CONCURRENCY}, Credly takes {LATENCY_SECONDS * 1000:.0f} ms a call. "
        f"Wanted: {WANTED_PER_SECOND} per second; {ideal:.0f} would be ideal."
    )
    print(table(["", "badges", "per second", "of ideal", "worker CPU ms per badge"], rows))


def _measure(stage: Stage, name: str) -> tuple[float, float]:
    """Return the badges per second, from the first to the last that Credly issues, and the cost of each."""
    badge = CredlyBadge(stage.credly, name)
    badge.award(badge.learners(BADGES))
    stage.credly.slow_down(LATENCY_SECONDS)
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


def _cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that the process has used, including its start; 0 if unknown."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[_STAT_UTIME]) + int(fields[_STAT_UTIME + 1])
    return ticks / os.sysconf("SC_CLK_TCK")
