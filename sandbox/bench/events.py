"""Measure the cost of an event, and whether it depends on the number of badge templates. Needs Django."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Any

from openedx_events.learning.data import UserData
from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED as SIGNAL

from badges_plugin import handlers
from badges_plugin.host import User
from badges_plugin.models import BadgeRequirement, BadgeTemplate, DataRule
from badges_plugin.ruleset import current_ruleset
from sandbox.drills.badges import PASSING, CredlyBadge, add_site, next_metadata, passing
from sandbox.drills.stage import Stage
from sandbox.drills.tables import table

TEMPLATES = (1, 100, 1000)
ROUNDS = 3
EVENTS = 200
AWARDS = 60
NOBODYS_COURSE = "course-v1:Bench+Nobody+1"
# The baseline: no receiver that handles learners can do less.
BARE = "a bare receiver: reads the learner"

Send = Callable[[], object]


def print_costs(stage: Stage) -> None:
    """Print the medians in milliseconds, and as multiples of the cost with a bare receiver."""
    bench = _Bench(CredlyBadge(stage.credly, "bench"))
    bench.add_templates(max(TEMPLATES) - 1)
    samples: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        # In turns, so that other load on the machine affects all of them alike.
        for count in TEMPLATES:
            bench.activate(count)
            for name, values in bench.measure().items():
                samples.setdefault((name, count), []).extend(values)
    costs = {key: median(values) for key, values in samples.items()}
    bare = median(costs[BARE, count] for count in TEMPLATES)
    print("\nEvents, by number of active templates: median milliseconds, and the same as multiples of a bare receiver.")
    head = ["", *(f"{count} (ms)" for count in TEMPLATES), *(f"{count} (x)" for count in TEMPLATES), "1000 : 1"]
    rows = []
    for name in dict.fromkeys(name for name, _ in costs):
        values = [costs[name, count] for count in TEMPLATES]
        multiples = [f"{value / bare:.1f}" for value in values]
        rows.append([name, *(f"{value:.3f}" for value in values), *multiples, f"{values[-1] / values[0]:.2f}"])
    print(table(head, rows))


class _Bench:
    def __init__(self, badge: CredlyBadge) -> None:
        self._badge = badge
        self._others: list[int] = []

    def add_templates(self, count: int) -> None:
        """Add templates of the site's own, each for its own course."""
        site = add_site()
        BadgeTemplate.objects.bulk_create(BadgeTemplate(site=site, name=f"bench {n}") for n in range(count))
        self._others = list(
            BadgeTemplate.objects.filter(name__startswith="bench ", origin=BadgeTemplate.ORIGIN)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        BadgeRequirement.objects.bulk_create(
            BadgeRequirement(template_id=pk, event_type=PASSING) for pk in self._others
        )
        requirements = BadgeRequirement.objects.filter(template__in=self._others).values_list("pk", flat=True)
        DataRule.objects.bulk_create(
            DataRule(requirement_id=pk, key_path=key_path, operator="eq", value=value)
            for pk in requirements
            for key_path, value in (("course.course_key", f"course-v1:Bench+{pk}+1"), ("is_passing", "true"))
        )

    def activate(self, count: int) -> None:
        """Activate this many templates, including the one that is awarded."""
        BadgeTemplate.objects.filter(pk__in=self._others).update(is_active=False)
        BadgeTemplate.objects.filter(pk__in=self._others[: count - 1]).update(is_active=True)

    def measure(self) -> Mapping[str, list[float]]:
        """Return what each kind of event costs now, in milliseconds."""
        compiling = _milliseconds([current_ruleset])
        learners = self._badge.learners(AWARDS)
        known = learners[0]
        awards = [self._event(learner, self._badge.course) for learner in learners]
        earned = _milliseconds(awards)
        matched = {
            "no template matches": _milliseconds([self._event(known, NOBODYS_COURSE)] * EVENTS),
            "repeated": _milliseconds([awards[0]] * EVENTS),
            "awards a Credly badge to a new learner": earned,
            "first after a change of the configuration": compiling,
        }
        return {**self._baselines(known), **matched}

    def _baselines(self, learner: UserData) -> dict[str, list[float]]:
        handlers.disconnect()
        try:
            return {
                "a receiver that does nothing": self._with(_nothing, learner),
                BARE: self._with(_read_learner, learner),
            }
        finally:
            handlers.connect()

    def _with(self, receiver: Callable[..., None], learner: UserData) -> list[float]:
        SIGNAL.connect(receiver)
        try:
            return _milliseconds([self._event(learner, NOBODYS_COURSE)] * EVENTS)
        finally:
            SIGNAL.disconnect(receiver)

    def _event(self, learner: UserData, course: str) -> Send:
        metadata, data = next_metadata(), passing(learner, course, is_passing=True)
        return lambda: SIGNAL.send_event_with_custom_metadata(metadata, send_robust=False, course_passing_status=data)


def _nothing(**event: Any) -> None:
    pass


def _read_learner(course_passing_status: Any, **event: Any) -> None:
    User.objects.filter(username=course_passing_status.user.pii.username).first()


def _milliseconds(actions: Iterable[Send]) -> list[float]:
    """Return how long each call takes."""
    durations = []
    for action in actions:
        started = time.perf_counter()
        action()
        durations.append(1000 * (time.perf_counter() - started))
    return durations
