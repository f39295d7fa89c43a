"""Measure the way from a broker to a committed award, as a multiple of a receiver that does nothing. Needs Django."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from statistics import median

from badges_plugin.distribution.models import Delivery
from badges_plugin.models import BadgeAward, BadgeTemplate
from sandbox.bench.badges import NOBODYS_COURSE, credly_badge, have_other_templates, own_badge
from sandbox.bench.consumers import Comparison, Learner, Topics, learners
from sandbox.bench.goals import Measured
from sandbox.bench.scene import Bus, Scene
from sandbox.bench.tables import count_rows

# Enough to last some seconds, in a small run as well: a consumer begins with small batches.
OTHERS = 30_000
AWARDS = 5000
# They are over soonest, so that their rates differ most; and they can be read as often as one likes.
REPEATS = 2
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
    found: dict[str, list[Comparison]] = defaultdict(list)
    for _ in range(scene.size(3, 1)):
        for name, compared in rounds.compared(awards=awards):
            found[name].append(compared)
    # Nobody has delivered them; a worker that is measured later would.
    Delivery.objects.filter(backend="credly").delete()
    for name, each in found.items():
        rate, nothing = median(one.rate for one in each), median(one.other for one in each)
        multiples = ", ".join(f"{one.multiple:.2f}" for one in each)
        note = f"{rate:.0f}/s; nothing: {nothing:.0f}/s; rounds: {multiples}"
        yield Measured(name, median(one.multiple for one in each), note)


class _Rounds:
    """Measures on one bus. Each round has its own badges and learners; what matches nothing is read again."""

    def __init__(self, scene: Scene, bus: Bus, name: str) -> None:
        self._stage = scene.stage
        self._topics = Topics(scene.stage, bus)
        self._no_match = name
        self._nobody = name.replace(" ", "-")
        self._send(self._nobody, NOBODYS_COURSE, learners(OTHERS))

    def begin(self) -> None:
        """Award badges unmeasured: a site in use has rows, and its database knows how many.

        Until it has counted the first ones of a table, some seconds later, MySQL reads all of them each time.
        """
        for badge in (own_badge(), credly_badge(self._stage)):
            self._send(badge.name, badge.course, learners(AWARDS))
            self._topics.consume(badge.name, AWARDS)
        count_rows()

    def compared(self, *, awards: bool) -> Iterator[tuple[str, Comparison]]:
        """Yield how each kind of event compares with a receiver that does nothing, which runs by turns with it."""
        yield self._no_match, self._compare(self._nobody, OTHERS)
        if awards:
            yield from self._award()

    def _send(self, topic: str, course: str, people: Iterable[Learner]) -> None:
        self._topics.send(topic, (each.passes(course) for each in people))

    def _compare(self, topic: str, count: int) -> Comparison:
        return self._topics.compare(topic, count, self._nobody, OTHERS, IDLE)

    def _award(self) -> Iterator[tuple[str, Comparison]]:
        badge, people = own_badge(), learners(AWARDS)
        for topic in (badge.name, f"{badge.name}-newer"):
            self._send(topic, badge.course, people)
        yield "own", self._compare(badge.name, AWARDS)
        _demand(badge.template, AWARDS, deliveries=0)
        for _ in range(REPEATS):
            yield "repeat", self._compare(badge.name, AWARDS)
        yield "newer", self._compare(f"{badge.name}-newer", AWARDS)
        _demand(badge.template, AWARDS, deliveries=0)
        sold = credly_badge(self._stage)
        self._send(sold.name, sold.course, learners(AWARDS))
        yield "credly", self._compare(sold.name, AWARDS)
        _demand(sold.template, AWARDS, deliveries=AWARDS)


def _demand(template: BadgeTemplate, awards: int, *, deliveries: int) -> None:
    """Raise RuntimeError unless what was measured was done."""
    held = BadgeAward.objects.filter(progress__template=template.pk, published_at__isnull=False).count()
    queued = Delivery.objects.filter(award__progress__template=template.pk).count()
    if (held, queued) != (awards, deliveries):
        raise RuntimeError(f"{held} awards and {queued} deliveries, not {awards} and {deliveries}")
