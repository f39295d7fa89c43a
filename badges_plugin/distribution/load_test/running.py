"""Send the events, at a rate or as fast as they are taken, and wait for what becomes of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from badges_plugin.distribution.load_test.exceptions import CannotMeasure
from badges_plugin.distribution.load_test.following import Follower
from badges_plugin.distribution.load_test.scene import Scene
from badges_plugin.distribution.load_test.sending import BATCH, Sender

NOBODY = (
    "No badge was awarded within {seconds:g} s. Is a consumer running, with BADGES_ENABLED, on this topic of this "
    "event bus, and with this database? Is its backlog long? Run badges_doctor, look at its log, or raise --wait."
)
NO_MORE = (
    "{waiting} events of {sent} were not applied: there was no award for {seconds:g} s. Look at the consumer's log."
)

NOT_DELIVERED = "{waiting} deliveries wait, and none was settled for {seconds:g} s. Is deliver_badges running?"


@dataclass(frozen=True)
class Pace:
    """How a load test goes."""

    number: int
    """How many events, those of as many learners."""
    rate: float | None
    """Events a second; None: as fast as they are taken."""
    wait: float
    """Seconds without any progress after which the site is not waited for any longer."""


class Run:
    """One load test. ``sent`` and ``seconds`` are those of all events but the first, which is alone."""

    def __init__(
        self,
        scene: Scene,
        sender: Sender,
        pace: Pace,
        *,
        on_awarded: Callable[[int], None] = lambda awarded: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.follower = Follower(scene.template)
        self.sent = 0
        self.seconds = 0.0
        self._scene, self._sender, self._pace = scene, sender, pace
        self._on_awarded, self._sleep, self._clock = on_awarded, sleep, clock
        self._awarded = 0
        self._asked_at = clock()

    def drive(self) -> None:
        """Do all of it. Raises CannotMeasure when the site does not follow."""
        self._sender.send([self._scene.event(0)])
        self._wait(lambda: self._ask() < 1, NOBODY)
        started = self._clock()
        while self.sent < self._pace.number - 1:
            self._send(started)
        self._wait(lambda: self._ask() < 1 + self.sent, NO_MORE)
        self._wait_for_deliveries()

    def _send(self, started: float) -> None:
        rate = self._pace.rate
        size = min(BATCH if rate is None else max(min(round(rate / 10), BATCH), 1), self._pace.number - 1 - self.sent)
        window = self._sender.window
        if window is not None:
            self._wait(lambda: self.sent + size - self._ask() >= window, NO_MORE)
        if rate is not None:
            self._sleep(max(started + self.sent / rate - self._clock(), 0.0))
        self._sender.send([self._scene.event(1 + self.sent + number) for number in range(size)])
        self.sent += size
        self.seconds = self._clock() - started
        if self._clock() >= self._asked_at + self.follower.pause:
            self._ask()

    def _ask(self) -> int:
        self._awarded = self.follower.awarded()
        self._asked_at = self._clock()
        self._on_awarded(self._awarded)
        return self._awarded

    def _wait(self, is_behind: Callable[[], bool], otherwise: str) -> None:
        """Wait while something is behind. Raises CannotMeasure when there was no award for too long."""
        last, since = self._awarded, self._clock()
        while is_behind():
            if self._awarded > last:
                last, since = self._awarded, self._clock()
            if self._clock() - since >= self._pace.wait:
                waiting = 1 + self.sent - self._awarded
                raise CannotMeasure(otherwise.format(seconds=self._pace.wait, waiting=waiting, sent=1 + self.sent))
            self._sleep(self.follower.pause)

    def _wait_for_deliveries(self) -> None:
        last, since = -1, self._clock()
        while (waiting := self.follower.waiting()) > 0:
            if waiting != last:
                last, since = waiting, self._clock()
            if self._clock() - since >= self._pace.wait:
                seconds = self._pace.wait
                raise CannotMeasure(NOT_DELIVERED.format(waiting=waiting, seconds=seconds))
            self._sleep(self.follower.pause)
