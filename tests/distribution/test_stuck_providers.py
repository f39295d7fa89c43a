"""A worker whose provider never comes to an end. Its clocks are real and short; nothing is asserted about time."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from badges_plugin.distribution import conf, housekeeping, worker
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.models import Delivery, DeliveryAttempt
from badges_plugin.distribution.worker import Worker
from badges_plugin.models import BadgeTemplate
from tests.distribution.fakes import FakeBackend, Provider
from tests.distribution.worlds import deliver, let_time_pass
from tests.factories import UserFactory, send_passing
from tests.limits import Lower


class Stuck:
    """Holds every request that the backend makes until it is let go."""

    def __init__(self, backend: FakeBackend) -> None:
        self.asked = 0
        self._go = threading.Event()
        self._issue = backend.issue
        backend.issue = self._hold  # type: ignore[method-assign]

    def let_go(self) -> None:
        self._go.set()

    def _hold(self, request: Any) -> Any:
        self.asked += 1
        self._go.wait(60)
        return self._issue(request)


@pytest.fixture
def stuck(backend: FakeBackend) -> Iterator[Stuck]:
    stuck = Stuck(backend)
    yield stuck
    stuck.let_go()


@pytest.fixture
def short_margin(lower: Lower) -> None:
    """Claims of a second, which the settings would not allow."""
    lower(conf, _MARGIN=0.1)


@pytest.fixture
def in_each_turn(lower: Lower) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Have the worker call something in each of its turns, as a chore."""
    lower(worker, _HOUSEKEEPING_SECONDS=0.0)
    chores = dict(housekeeping._chores)

    def register(look: Callable[[], None]) -> None:
        def step(now: datetime) -> bool:
            look()
            return True

        housekeeping.register(housekeeping.Chore("test", step, every=0))

    yield register
    housekeeping._chores.clear()
    housekeeping._chores.update(chores)


def test_f1_housekeeping_does_not_wait_for_threads(
    ada: Any, template: BadgeTemplate, stuck: Stuck, in_each_turn: Any
) -> None:
    send_passing(ada)
    it = Worker(config(), concurrency=1, interval=0.01)
    turns = 0

    def look() -> None:
        nonlocal turns
        turns += bool(stuck.asked)
        if turns == 3:
            stuck.let_go()
            it.stop()

    in_each_turn(look)

    assert it.run() == {"done": 1}


def test_f1_a_thread_that_outlasts_its_claim_silences_the_heartbeat_and_is_not_lost(
    ada: Any,
    template: BadgeTemplate,
    provider: Provider,
    stuck: Stuck,
    in_each_turn: Any,
    short_margin: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    send_passing(ada)
    it = Worker(replace(config(), lease=1.0, request_timeout=0.1), concurrency=1, interval=0.01)
    beats: list[int] = []
    silent: list[int] = []
    reasons: list[tuple[str, bool, str]] = []
    monkeypatch.setattr(worker, "beat", lambda: beats.append(1))

    def look() -> None:
        delivery = Delivery.objects.get()
        if "gave no result" in delivery.last_error and len(silent) < 5:
            silent.append(len(beats))
            reasons.append((delivery.state, delivery.in_doubt, delivery.last_error))
        elif silent:
            stuck.let_go()
        if delivery.state == "done" and len(beats) > silent[-1]:
            it.stop()

    in_each_turn(look)

    counts = it.run()

    # On a slow machine there may be claims that ran out before anything was sent.
    assert (counts["lost claim"], counts["done"]) == (1, 1)
    assert len(set(silent)) == 1
    assert set(reasons) == {
        ("pending", True, "The worker gave no result in time. The badge is looked up at the provider.")
    }
    assert "gave no result in time" in caplog.text
    assert "last longer than their claims" in caplog.text
    # The late one did arrive; the badge is there once.
    assert (provider.issues, len(provider.live())) == (1, 1)


@pytest.mark.parametrize("once", [False, True])
def test_f1_a_worker_ends_although_a_thread_does_not(
    ada: Any,
    template: BadgeTemplate,
    provider: Provider,
    stuck: Stuck,
    in_each_turn: Any,
    short_margin: None,
    once: bool,
) -> None:
    # A stopped worker waits for as long as a request may last, one that runs once for as long as a claim.
    send_passing(ada)
    it = Worker(replace(config(), request_timeout=0.1, lease=0.5 if once else 60), concurrency=1, interval=0.01)
    in_each_turn(lambda: it.stop() if stuck.asked and not once else None)

    assert it.run(once=once) == {}

    # Nobody has heard of the request, so it is looked up; meanwhile it arrived.
    stuck.let_go()
    let_time_pass()
    while not provider.live():
        pass
    assert deliver() == {"done": 1}
    assert provider.issues == 1


def test_f1_what_a_stopped_worker_has_not_begun_is_left_to_others_without_a_doubt(
    template: BadgeTemplate, provider: Provider, stuck: Stuck, in_each_turn: Any
) -> None:
    for learner in UserFactory.create_batch(3):
        send_passing(learner)
    it = Worker(config(), concurrency=2, interval=0.01)

    def look() -> None:
        if stuck.asked == 2:
            it.stop()
            stuck.let_go()

    in_each_turn(look)

    assert it.run() == {"done": 2, "pending": 1}
    [left] = Delivery.objects.filter(state="pending")
    assert (left.in_doubt, left.claimed_by) == (False, "")
    assert "stopped" in DeliveryAttempt.objects.get(delivery=left).reason
    assert deliver() == {"done": 1}


def test_f1_a_process_ends_although_a_thread_does_not() -> None:
    program = (
        "import threading;"
        "from badges_plugin.distribution.threads import Threads;"
        "begun = threading.Event();"
        "Threads(1, name='t').submit(lambda: (begun.set(), threading.Event().wait()));"
        "begun.wait()"
    )

    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0


def test_f1_a_chore_that_fails_stops_no_delivery(
    ada: Any, template: BadgeTemplate, in_each_turn: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ValueError("ada@example.org")

    in_each_turn(broken)
    send_passing(ada)

    assert deliver(chores=True) == {"done": 1}
    assert "The chore “test” failed" in caplog.text
    assert "ada@example.org" not in caplog.text
