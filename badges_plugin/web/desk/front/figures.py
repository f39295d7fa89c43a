"""The numbers on the front page: cheap ones, counted once a minute, and left out where they cannot be counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.utils import timezone

from badges_plugin import api, reading, vitals
from badges_plugin.counting import count_up_to
from badges_plugin.distribution import attention
from badges_plugin.logs import get_logger
from badges_plugin.models import BadgeAward, BadgeTemplate, FailedEvent, Learner

logger = get_logger(__name__)

KEY = "badges_web.front.2"
SECONDS = 60

Figures = Mapping[str, int]
"""Numbers of rows by name, counted up to ``counting.MOST``. One that is missing could not be counted."""


def figures() -> Figures:
    """Return the numbers, at most a minute old."""
    found: Figures | None = cache.get(KEY)
    if found is None:
        found = count()
        cache.set(KEY, found, SECONDS)
    return found


def count() -> Figures:
    """Count. One query each, or a fixed number, which indexes serve and which read few rows."""
    found: dict[str, int] = {}
    for name, counted in _COUNTED.items():
        with _perhaps_missing(name):
            found[name] = counted()
    for names, measured in _MEASURED.items():
        with _perhaps_missing(", ".join(names)):
            found.update(zip(names, measured(), strict=True))
    return found


@contextmanager
def _perhaps_missing(name: str) -> Iterator[None]:
    """Go on without what the database refuses to count."""
    try:
        with transaction.atomic():
            yield
    except DatabaseError:
        logger.warning("The front page of the admin is shown without the number of %s.", name, exc_info=True)


def _this_week() -> int:
    return count_up_to(BadgeAward.objects.filter(awarded_at__gte=timezone.now() - timedelta(days=7)))


def _waiting() -> tuple[int, int]:
    groups = vitals.group_lags(timezone.now())
    return sum(group.messages for group in groups), max((group.seconds for group in groups), default=0)


def _silent() -> tuple[int, ...]:
    """Return, for each kind of process, 1 if it has fallen silent."""
    found = {each.kind: each.silent_since is not None for each in vitals.running(timezone.now())}
    return tuple(int(found[kind]) for kind in (vitals.Kind.CONSUMER, vitals.Kind.WORKER))


_COUNTED: dict[str, Callable[[], int]] = {
    "active badges": lambda: count_up_to(BadgeTemplate.objects.filter(is_active=True)),
    "inactive badges": lambda: count_up_to(BadgeTemplate.objects.filter(is_active=False)),
    "drafts": lambda: count_up_to(api.drafts()),
    "drafts with a problem": lambda: len(api.drafts_with_problems()),
    "learners": lambda: count_up_to(Learner.objects.all()),
    "held awards": lambda: count_up_to(BadgeAward.objects.filter(revoked_at=None)),
    "awards this week": _this_week,
    "awards to check": lambda: len(reading.to_check(timezone.now())),
    "deliveries waiting": attention.waiting,
    "deliveries on hold": attention.on_hold,
    "failed deliveries": attention.failed,
    "failed events": lambda: count_up_to(FailedEvent.objects.filter(state=FailedEvent.State.FAILED, retry_at=None)),
    "paused accounts": attention.paused_accounts,
}
_MEASURED: dict[tuple[str, ...], Callable[[], tuple[int, ...]]] = {
    ("events waiting", "seconds of waiting"): _waiting,
    ("consumers silent", "workers silent"): _silent,
}
"""Numbers that the same rows tell."""
