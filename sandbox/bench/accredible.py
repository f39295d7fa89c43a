"""Measure how long a backlog takes at Accredible within its limit of requests, on a faster clock. Needs Django.

``measure(stage, badges=10_000)`` is the small variant.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from dataclasses import dataclass

from django.conf import settings
from openedx_events.learning.data import UserData, UserPersonalData

from badges_plugin import api
from badges_plugin.distribution.accredible.models import AccredibleApiConfig, AccredibleGroup
from badges_plugin.distribution.accredible.sync import sync_groups
from badges_plugin.distribution.models import Delivery
from badges_plugin.distribution.retry import State
from sandbox.accredible import DEMO_KEY, AccredibleSimulator
from sandbox.drills.badges import PASSING, earn_by_course, next_metadata, passing
from sandbox.drills.stage import Stage, wait_until

REQUESTS_PER_PERIOD = 200
PERIOD_SECONDS = 30.0
"""Accredible allows 2,000 requests in five minutes, counted in periods of 30 seconds."""

_PACE = 360
_BATCH = 100
_GROUP = 501
# Apart from the learners of other measurements.
_FIRST_USER = 5_000_000


@dataclass(frozen=True)
class Measured:
    """The results. ``minutes`` are simulated: the wall clock's, multiplied by the speed.

    ``refused`` counts requests above the limit, ``lost`` and ``twice`` badges.
    """

    badges: int
    minutes: float
    requests: int
    refused: int
    lost: int
    twice: int


def measure(stage: Stage, *, badges: int = 100_000, speed: float = 2.0, workers: int = 1) -> Measured:
    """Deliver a backlog to a simulated Accredible whose clock, and our pace with it, is so many times faster."""
    with AccredibleSimulator(groups=2) as accredible:
        _lead_to(stage, accredible.url, speed)
        group = _group(accredible)
        _award(group, badges)
        accredible.limit(REQUESTS_PER_PERIOD, seconds=PERIOD_SECONDS / speed)
        began = time.monotonic()
        for _ in range(workers):
            stage.start_worker(concurrency=16)
        waiting = Delivery.objects.filter(backend="accredible", state__in=(State.PENDING, State.SENDING))
        wait_until(lambda: not waiting.exists(), "every credential was issued", timeout=3600)
        seconds = time.monotonic() - began
        stage.stop_workers()
        return _compare(accredible, badges, seconds * speed / 60)


def _lead_to(stage: Stage, url: str, speed: float) -> None:
    """Give the settings of Accredible to this process and to the workers."""
    section = {"ACCREDIBLE_API_BASE_URL": url, "REQUESTS_PER_MINUTE": _PACE * speed}
    settings.BADGES_CONFIG = {**settings.BADGES_CONFIG, "accredible": section}
    known = json.loads(stage.environment["BADGES_CONFIG_JSON"])
    stage.environment["BADGES_CONFIG_JSON"] = json.dumps({**known, "accredible": section})


def _group(accredible: AccredibleSimulator) -> AccredibleGroup:
    api_config, _made = AccredibleApiConfig.objects.get_or_create(name="Bench")
    api_config.set_api_key(DEMO_KEY)
    api_config.save()
    sync_groups(api_config)
    return AccredibleGroup.objects.get(group_id=_GROUP)


def _award(group: AccredibleGroup, badges: int) -> None:
    course = f"course-v1:Bench+{uuid.uuid4().hex[:8]}+1"
    earn_by_course(group, course)
    for start in range(1, badges + 1, _BATCH):
        api.process_batch([_event(number, course) for number in range(start, min(start + _BATCH, badges + 1))])


def _event(number: int, course: str) -> api.BadgingEvent:
    name = f"bench-{number}"
    pii = UserPersonalData(username=name, email=f"{name}@example.org", name=f"Lea {number}")
    data = passing(UserData(id=_FIRST_USER + number, is_active=True, pii=pii), course, is_passing=True)
    return api.read_event(PASSING, next_metadata(), {"course_passing_status": data})


def _compare(accredible: AccredibleSimulator, badges: int, minutes: float) -> Measured:
    times = Counter(credential.license_id for credential in accredible.credentials())
    asked = Counter(accredible.asked)
    return Measured(
        badges=badges,
        minutes=minutes,
        requests=sum(asked.values()) - asked["groups"],
        refused=accredible.refused,
        lost=badges - len(times),
        twice=sum(number > 1 for number in times.values()),
    )
