"""Measure how long one event takes to its committed award when nothing else happens. Needs Django."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from statistics import median

from badges_plugin.models import BadgeAward
from sandbox.bench.badges import Badge, have_other_templates, own_badge
from sandbox.bench.consumers import Learner, Topics, learners
from sandbox.bench.goals import Measured
from sandbox.bench.scene import Bus, Scene
from sandbox.demo.processes import Child

WARM_UP = 3
LONGEST_PAUSE = 0.4
LOOK_SECONDS = 0.001
MISSING_SECONDS = 60.0


def measure(scene: Scene) -> Iterator[Measured]:
    """Compare the default with batches of one, which wait for nothing, on both buses."""
    have_other_templates()
    for bus, key in ((scene.kafka, "kafka delay"), (scene.redis, "redis delay")):
        single, default = (_delay(scene, bus(), batch) for batch in (1, None))
        yield Measured(key, default - single, f"{default:.0f} ms, with batches of one {single:.0f} ms")


def _delay(scene: Scene, bus: Bus, batch: int | None) -> float:
    """Return the median in milliseconds."""
    badge, topics = own_badge(), Topics(scene.stage, bus)
    lms = topics.lms(badge.name)
    consumer = topics.consumer(badge.name, batch=batch)
    consumer.wait_for(lambda: "Consuming " in consumer.log(), "it consumed", timeout=MISSING_SECONDS)
    chance = random.Random(1)  # noqa: S311 - repeatable, not secret
    delays = []
    for learner in learners(WARM_UP + scene.size(40, 9)):
        delays.append(_seconds(lms, badge, learner))
        # The consumer may be anywhere in its waiting when the next one comes.
        time.sleep(chance.uniform(0, LONGEST_PAUSE))
    lms.end_input()
    consumer.stop()
    return 1000 * median(delays[WARM_UP:])


def _seconds(lms: Child, badge: Badge, learner: Learner) -> float:
    """Return the time until other connections see the award."""
    sent = time.perf_counter()
    lms.send_line(learner.passes(badge.course))
    awards = BadgeAward.objects.filter(progress__template=badge.template.pk, progress__user__username=learner.username)
    while not awards.exists():
        if time.perf_counter() - sent > MISSING_SECONDS:
            raise RuntimeError("An event led to no award.")
        time.sleep(LOOK_SECONDS)
    return time.perf_counter() - sent
