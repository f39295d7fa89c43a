"""Measure the way from a broker to a committed award, as a multiple of a receiver that does nothing. Needs Django."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from statistics import median

from badges_plugin.distribution.models import Delivery
from badges_plugin.models import BadgeAward, BadgeTemplate
from sandbox.bench.badges import NOBODYS_COURSE, credly_badge, have_other_templates, own_badge
from sandbox.bench.consumers import Topics, learners
from sandbox.bench.goals import Measured
from sandbox.bench.scene import Bus, Scene
from sandbox.bench.tables import count_rows

NOTHING = "nothing"
IDLE = {"DJANGO_SETTINGS_MODULE": "sandbox.bench.idle", "BADGES_ENABLED": "false"}


def measure_kafka(scene: Scene) -> Iterator[Measured]:
    """Measure every kind of event."""
    yield from _measure(scene, scene.kafka(), "kafka no match", awards=True)


def measure_redis(scene: Scene) -> Iterator[Measured]:
    """Measure events that match nothing."""
    yield from _measure(scene, scene.redis(), "redis no match", awards=False)


def _measure(scene: Scene, bus: Bus, no_match: str, *, awards: bool) -> Iterator[Measured]:
    have_other_templates()
    rounds = _Rounds(scene, bus, no_match)
    if awards:
        rounds.begin()
    rates: dict[str, list[float]] = defaultdict(list)
    multiples: dict[str, list[float]] = defaultdict(list)
    # Other load on the machine, and its speed, change within seconds: each is compared with what is next to it.
    before = rounds.nothing()
    for _ in range(scene.size(5, 3)):
        for name, rate in rounds.measured(awards=awards):
            after = rounds.nothing()
            rates[NOTHING].append(after)
            rates[name].append(rate)
            multiples[name].append((before + after) / 2 / rate)
            before = after
    for name, found in multiples.items():
        note = f"{median(rates[name]):.0f}/s; nothing: {median(rates[NOTHING]):.0f}/s; rounds: "
        yield Measured(name, median(found), note + ", ".join(f"{each:.2f}" for each in found))


class _Rounds:
    """Measures on one bus. Each round has its own badges and learners; what matches nothing is read again."""

    def __init__(self, scene: Scene, bus: Bus, name: str) -> None:
        self._stage = scene.stage
        self._topics = Topics(scene.stage, bus)
        # Enough to last some seconds: a consumer begins with small batches.
        self._others = scene.size(20_000, 10_000)
        self._awards = scene.size(5000, 2500)
        self._no_match = name
        self._nobody = name.replace(" ", "-")
        self._topics.send(self._nobody, (each.passes(NOBODYS_COURSE) for each in learners(self._others)))

    def begin(self) -> None:
        """Award badges unmeasured: a site in use has rows, and its database knows how many.

        Until it has counted the first ones of a table, some seconds later, MySQL reads all of them each time.
        """
        for _ in self.awards():
            pass
        count_rows()

    def nothing(self) -> float:
        return self._topics.consume(self._nobody, self._others, environment=IDLE).rate

    def measured(self, *, awards: bool) -> Iterator[tuple[str, float]]:
        """Yield the rate of each kind of event, in events a second."""
        yield self._no_match, self._topics.consume(self._nobody, self._others).rate
        if awards:
            yield from self.awards()

    def awards(self) -> Iterator[tuple[str, float]]:
        badge, people = own_badge(), learners(self._awards)
        for topic in (badge.name, f"{badge.name}-newer"):
            self._topics.send(topic, (each.passes(badge.course) for each in people))
        yield "own", self._topics.consume(badge.name, self._awards).rate
        _demand(badge.template, self._awards, deliveries=0)
        yield "repeat", self._topics.consume(badge.name, self._awards).rate
        yield "newer", self._topics.consume(f"{badge.name}-newer", self._awards).rate
        _demand(badge.template, self._awards, deliveries=0)
        sold = credly_badge(self._stage)
        self._topics.send(sold.name, (each.passes(sold.course) for each in learners(self._awards)))
        yield "credly", self._topics.consume(sold.name, self._awards).rate
        _demand(sold.template, self._awards, deliveries=self._awards)


def _demand(template: BadgeTemplate, awards: int, *, deliveries: int) -> None:
    """Raise RuntimeError unless what was measured was done."""
    held = BadgeAward.objects.filter(progress__template=template.pk, published_at__isnull=False).count()
    queued = Delivery.objects.filter(award__progress__template=template.pk).count()
    if (held, queued) != (awards, deliveries):
        raise RuntimeError(f"{held} awards and {queued} deliveries, not {awards} and {deliveries}")
