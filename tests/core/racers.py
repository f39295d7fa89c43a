"""Processes that handle events at the same instant, for the concurrency tests.

Each racer is a Python of its own with its own database connection. It reads rounds, a line of JSON each, from its
standard input, waits until all racers are at the same round, processes the event, or batches of events, and writes
what came of it.
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
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MOST_ATTEMPTS = 7


@dataclass(frozen=True)
class Round:
    """One event for one racer. ``start`` is the instant (seconds since the epoch) at which all of them begin."""

    lms_user_id: int
    username: str
    course: str
    event_id: str
    minute: float
    is_passing: bool = True


Batches = Sequence[Sequence[Round]]
"""Batches of events, one batch after the other."""


def race(database_name: str, heats: Sequence[Sequence[Round | Batches]]) -> list[list[str]]:
    """Let racer n process the n-th event, or batches, of each heat, all racers at the same instant.

    Returns for each heat what each came to: "ok", followed by a number if a batch had to be repeated so many times,
    or the text of an exception.
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
                batches = [[event]] if isinstance(event, Round) else event
                lines = [[asdict(each) for each in batch] for batch in batches]
                _write(racer, {"start": start, "is_batch": not isinstance(event, Round), "batches": lines})
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
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        heat = json.loads(line)
        batches = [[Round(**event) for event in batch] for batch in heat["batches"]]
        process = _process_batches if heat["is_batch"] else _send
        time.sleep(max(0, heat["start"] - time.time() - 0.001))
        while time.time() < heat["start"]:
            pass
        try:
            repetitions = process(batches)
            result = f"ok {repetitions}" if repetitions else "ok"
        except Exception as error:  # noqa: BLE001  whatever it is, the test shows it
            result = f"{type(error).__name__}: {error}"
        print(json.dumps(result), flush=True)


def _send(batches: Batches) -> int:
    """Send the event as from the bus, but so that an exception of the receiver shows."""
    from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

    stamp, data = _event(batches[0][0])
    COURSE_PASSING_STATUS_UPDATED._send_event_with_metadata(
        stamp, send_robust=False, from_event_bus=True, course_passing_status=data
    )
    return 0


def _process_batches(batches: Batches) -> int:
    """Process batches as a consumer does, which repeats one that met a transient error. Return how often."""
    from badges_plugin import api, database
    from tests.factories import PASSING

    repetitions = 0
    for batch in batches:
        read = [_event(each) for each in batch]
        events = [api.read_event(PASSING, stamp, {"course_passing_status": data}) for stamp, data in read]
        for attempts_left in reversed(range(MOST_ATTEMPTS)):
            try:
                api.process_batch(events)
                break
            except Exception as error:
                if not attempts_left or not database.is_transient(error):
                    raise
                repetitions += 1
    return repetitions


def _event(said: Round) -> tuple[Any, Any]:
    """Return the metadata and the data of an event."""
    from tests.factories import PASSING, at, metadata, passing_data, user_data

    user = user_data(id=said.lms_user_id, username=said.username, email=f"{said.username}@example.org")
    stamp = metadata(PASSING, time=at(said.minute), event_id=uuid.UUID(said.event_id))
    return stamp, passing_data(user, said.course, is_passing=said.is_passing)


if __name__ == "__main__":
    main(sys.argv[1])
