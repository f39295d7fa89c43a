"""Drill: workers are killed with SIGKILL at random times, while badges are awarded, revoked and awarded again."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from dataclasses import dataclass, field

from django.db import connection
from openedx_events.learning.data import UserData

from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import State
from sandbox.demo.processes import Child
from sandbox.drills.badges import CredlyBadge
from sandbox.drills.books import attempts, close, wait_until_settled
from sandbox.drills.catalog import Options, Result
from sandbox.drills.stage import Stage, TooSlow, wait_until

# Most workers live until they work, and then for a random time; every fifth dies whatever it does.
ANY_MOMENT_EVERY = 5


@dataclass(frozen=True)
class Scale:
    """How much is at stake. A request takes ``latency`` to twice as many seconds, so that some are always under way."""

    kills: int
    badges: int
    longest_life: float
    latency: float


FULL = Scale(kills=32, badges=2000, longest_life=1.5, latency=0.08)
SMALL = Scale(kills=3, badges=40, longest_life=0.1, latency=0.3)


@dataclass
class Toll:
    """What the kills interrupted."""

    kills: int = 0
    with_claims: int = 0
    claims: int = 0


@dataclass
class Script:
    """In which order learners pass and fail. Half of them lose the badge, a tenth earn it again afterwards."""

    learners: list[UserData]
    chance: random.Random
    steps: list[tuple[UserData, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        awards = list(self.learners)
        self.chance.shuffle(awards)
        timed = [(float(at), learner, True) for at, learner in enumerate(awards)]
        losing = self.chance.sample(list(enumerate(awards)), len(awards) // 2)
        for number, (at, learner) in enumerate(losing):
            # Some at once, so that the revocation meets an issue that waits or is under way, others much later.
            lost = at + self.chance.choice([0.5, 5.5, 50.5, 500.5])
            timed.append((lost, learner, False))
            if number % 5 == 0:
                timed.append((lost + self.chance.choice([0.25, 20.25]), learner, True))
        timed.sort(key=lambda step: step[0])
        self.steps = [(learner, is_passing) for _, learner, is_passing in timed]


class Play(threading.Thread):
    """Runs the script as far as it may be run by now, so that there is always work while workers die."""

    def __init__(self, badge: CredlyBadge, script: Script) -> None:
        super().__init__(name="awards", daemon=True)
        self._badge = badge
        self._script = script
        self._allowed = threading.Semaphore(0)
        self.error: Exception | None = None

    def allow(self, steps: int) -> None:
        self._allowed.release(steps)

    def run(self) -> None:
        try:
            for learner, is_passing in self._script.steps:
                self._allowed.acquire()
                (self._badge.award if is_passing else self._badge.revoke)([learner])
        except Exception as error:  # noqa: BLE001 - handed to the drill, which is another thread
            self.error = error
        finally:
            connection.close()


def killed(stage: Stage, options: Options) -> Result:
    """Kill all workers again and again, and replace each at once."""
    scale = SMALL if options.small else FULL
    chance = options.chance("kills")
    badge = CredlyBadge(stage.credly, "workers killed")
    script = Script(badge.learners(scale.badges), chance)
    stage.credly.slow_down(scale.latency, jitter=scale.latency)
    play = Play(badge, script)
    play.start()
    toll = Toll()
    share = -(-len(script.steps) // scale.kills)
    # Ahead of the workers from the beginning, so that none of them finds nothing to do.
    play.allow(2 * share)
    for number in range(scale.kills):
        play.allow(share)
        works_first = number % ANY_MOMENT_EVERY != ANY_MOMENT_EVERY - 1
        _kill_one(stage, toll, chance, works_first=works_first, delay=chance.uniform(0, scale.longest_life))
    play.allow(len(script.steps))
    play.join()
    if play.error is not None:
        raise play.error
    wait_until_settled(badge, timeout=120)
    stage.credly.behave()
    result = Result("workers killed")
    close(badge, result)
    looked_up = attempts(badge).filter(looked_up=True).count()
    result.remarks.append(
        f"{toll.kills} kills with SIGKILL, {toll.with_claims} of them met a worker with claims; {toll.claims} claims "
        f"were left behind; {looked_up} attempts looked at Credly first, {result.numbers['adopted']} found it done."
    )
    result.demand(toll.claims > 0, "no kill met a worker at work: the drill shows nothing")
    return result


def _kill_one(stage: Stage, toll: Toll, chance: random.Random, *, works_first: bool, delay: float) -> None:
    victim = chance.choice(stage.workers)
    if works_first:
        # If there is nothing to do for it, it dies idle.
        with contextlib.suppress(TooSlow):
            wait_until(lambda: _claims(victim) > 0, "the worker worked", timeout=10)
    time.sleep(delay)
    stage.kill_worker(victim)
    held = _claims(victim)
    toll.kills += 1
    toll.with_claims += held > 0
    toll.claims += held
    stage.start_worker()


def _claims(worker: Child) -> int:
    return Delivery.objects.filter(state=State.SENDING, claimed_by__startswith=_name(worker)).count()


def _name(worker: Child) -> str:
    """Return the beginning of the worker's name in its claims."""
    return f"{socket.gethostname()}:{worker.pid}/"


DRILLS = (killed,)
