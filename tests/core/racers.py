"""Processes that handle events at the same instant, for the concurrency tests.

Each racer is a Python of its own with its own database connection. It reads rounds, a line of JSON each, from its
standard input, waits until all racers are at the same round, processes the event and writes what came of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Round:
    """One event for one racer. ``start`` is the instant (seconds since the epoch) at which all of them begin."""

    lms_user_id: int
    username: str
    course: str
    event_id: str
    minute: float
    is_passing: bool = True


def race(database_name: str, heats: Sequence[Sequence[Round]]) -> list[list[str]]:
    """Let racer n process the n-th event of each heat, all racers at the same instant.

    Returns for each heat what became of each event: the name of an outcome, or the text of an exception.
    """
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.core.racers", database_name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in heats[0]
    ]
    try:
        for racer in racers:
            _read(racer)
        results = []
        for heat in heats:
            start = time.time() + 0.004
            for racer, event in zip(racers, heat, strict=True):
                _write(racer, {"start": start, **asdict(event)})
            results.append([_read(racer) for racer in racers])
        return results
    finally:
        for racer in racers:
            racer.kill()
            racer.communicate()


def _write(racer: subprocess.Popen[str], line: object) -> None:
    assert racer.stdin is not None
    racer.stdin.write(json.dumps(line) + "\n")
    racer.stdin.flush()


def _read(racer: subprocess.Popen[str]) -> str:
    assert racer.stdout is not None
    line = racer.stdout.readline()
    if not line:
        raise RuntimeError(f"A racer ended with exit code {racer.wait()}.")
    return str(json.loads(line))


def main(database_name: str) -> None:
    """Be a racer."""
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database_name
    settings.LOGGING_CONFIG = None
    django.setup()
    from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

    from tests.factories import PASSING, at, metadata, passing_data, user_data

    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        event = json.loads(line)
        start = event.pop("start")
        said = Round(**event)
        user = user_data(id=said.lms_user_id, username=said.username, email=f"{said.username}@example.org")
        stamp = metadata(PASSING, time=at(said.minute), event_id=uuid.UUID(said.event_id))
        time.sleep(max(0, start - time.time() - 0.001))
        while time.time() < start:
            pass
        try:
            # As from the bus, but so that an exception of the receiver shows.
            COURSE_PASSING_STATUS_UPDATED._send_event_with_metadata(
                stamp,
                send_robust=False,
                from_event_bus=True,
                course_passing_status=passing_data(user, said.course, is_passing=said.is_passing),
            )
            result = "ok"
        except Exception as error:  # noqa: BLE001  whatever it is, the test shows it
            result = f"{type(error).__name__}: {error}"
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
