"""Measure what one event in a hundred costs that fails in the transaction of its batch. Needs Django.

The host's own receivers are called in that transaction; here is one that refuses some learners' credentials.
"""

from __future__ import annotations

from collections.abc import Iterator

from badges_plugin.models import BadgeAward, FailedEvent
from sandbox.bench.badges import have_other_templates, own_badge
from sandbox.bench.consumers import Topics, learners
from sandbox.bench.goals import Measured
from sandbox.bench.scene import Scene

EVERY = 100
REFUSING = {"DJANGO_SETTINGS_MODULE": "sandbox.drills.faulty_host"}


def measure(scene: Scene) -> Iterator[Measured]:
    """Compare batches with batches of one; both meet the poison events."""
    have_other_templates()
    topics = Topics(scene.stage, scene.kafka())
    rates = {}
    for batch, count in ((1, scene.size(1000, 200)), (None, scene.size(5000, 1000))):
        badge = own_badge()
        people = learners(count)
        people[EVERY // 2 :: EVERY] = learners(count // EVERY, "refused")
        topics.send(badge.name, (each.passes(badge.course) for each in people))
        failed = FailedEvent.objects.count()
        refused = count // EVERY
        rates[batch] = topics.consume(badge.name, count, stored=refused, batch=batch, environment=REFUSING).rate
        awards = BadgeAward.objects.filter(progress__template=badge.template.pk).count()
        if (awards, FailedEvent.objects.count() - failed) != (count - refused, refused):
            raise RuntimeError(f"{awards} awards, {FailedEvent.objects.count() - failed} failed events")
    yield Measured("poison", rates[None] / rates[1], f"{rates[None]:.0f}/s over {rates[1]:.0f}/s")
