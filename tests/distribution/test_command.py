"""``manage.py deliver_badges``."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from badges_plugin import garbage, switching
from badges_plugin.distribution import worker as worker_module
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.worker import Worker
from badges_plugin.models import BadgeTemplate
from tests.distribution.fakes import FakeBackend, Provider
from tests.factories import send_passing
from tests.limits import Lower


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("deliver_badges", *arguments, stdout=out)
    return out.getvalue()


def test_once_delivers_what_is_due_and_ends(ada: Any, template: BadgeTemplate, provider: Provider) -> None:
    send_passing(ada)

    assert run("--once") == "Deliveries: 1 done.\n"
    assert run("--once") == "Deliveries: nothing to do.\n"


def test_threads_do_not_wait_long_for_each_other_or_for_a_look_through_all_objects(
    ada: Any, template: BadgeTemplate, backend: FakeBackend
) -> None:
    send_passing(ada)
    before = sys.getswitchinterval(), gc.get_threshold()
    inside = []
    issue = backend.issue

    def noting(request: Any) -> Any:
        inside.append((sys.getswitchinterval(), gc.get_threshold()[0]))
        return issue(request)

    backend.issue = noting  # type: ignore[method-assign]

    assert run("--once") == "Deliveries: 1 done.\n"
    [(seconds, objects)] = inside
    assert seconds == pytest.approx(switching.SECONDS)
    assert objects == garbage.OBJECTS_BETWEEN_COLLECTIONS
    assert sys.getswitchinterval() == pytest.approx(before[0])
    assert gc.get_threshold() == before[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_loop_after_what_is_under_way(
    ada: Any, template: BadgeTemplate, backend: FakeBackend, number: signal.Signals
) -> None:
    send_passing(ada)
    before = signal.getsignal(number)
    # The signal comes while the provider is being asked.
    issue = backend.issue

    def interrupted(request: Any) -> Any:
        os.kill(os.getpid(), number)
        return issue(request)

    backend.issue = interrupted  # type: ignore[method-assign]

    assert run("--interval", "0.01") == "Deliveries: 1 done.\n"
    assert signal.getsignal(number) == before


def test_an_idle_worker_stops_at_once(db: None, template: BadgeTemplate, tmp_path: Path, monkeypatch: Any) -> None:
    heartbeat = tmp_path / "beat"
    monkeypatch.setenv("BADGES_HEARTBEAT_FILE", str(heartbeat))
    worker = Worker(config(), interval=60)
    threading.Timer(0.2, worker.stop).start()

    assert worker.run() == {}
    assert heartbeat.exists()


def test_an_idle_worker_gives_signs_of_life_however_long_it_waits(
    db: None, template: BadgeTemplate, monkeypatch: Any, lower: Lower
) -> None:
    worker = Worker(config(), interval=600)
    beats = []

    def beat() -> None:
        beats.append(worker)
        if len(beats) == 3:
            worker.stop()

    monkeypatch.setattr(worker_module, "beat", beat)
    lower(worker_module, BEAT_SECONDS=0.01)
    without_signs = threading.Timer(30, worker.stop)
    without_signs.start()
    worker.run()
    without_signs.cancel()

    assert len(beats) >= 3


def test_badges_that_are_switched_off_are_not_delivered(settings: Any) -> None:
    settings.BADGES_ENABLED = False

    with pytest.raises(CommandError, match="BADGES_ENABLED"):
        run("--once")


def test_it_takes_at_least_one_thread() -> None:
    with pytest.raises(CommandError, match="--concurrency"):
        run("--concurrency", "0")


@pytest.mark.parametrize("interval", ["0", "-1", "nan"])
def test_it_pauses(interval: str) -> None:
    with pytest.raises(CommandError, match="--interval"):
        run("--once", "--interval", interval)
