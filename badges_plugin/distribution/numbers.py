"""Numbers for staff: the workers count them, and what fails is read where it is.

``count_some`` is a chore of every worker. It counts one week at a time, so that no delivery waits for long; a site that
takes long to count is counted less often.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from badges_plugin import weekly
from badges_plugin.counting import MOST
from badges_plugin.distribution import channels, registry
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.reasons import localized, sentence_of
from badges_plugin.distribution.retry import State
from badges_plugin.models import BadgeAward, BadgeTemplate, NumbersRound

EVERY = timedelta(hours=1)
"""From the beginning of one round to that of the next."""
_SHARE = 50
"""A round begins only after as many times the time that the last one took, but after a day at the latest."""
_LONGEST = timedelta(days=1)
_LOST_AFTER = timedelta(minutes=10)


class AtProviders:
    """What learners accept, by the backends that are installed."""

    def asks(self, template: BadgeTemplate) -> bool:
        return any(backend.asks_learners for backend in registry.responsible_for(template))

    def accepted(self, awards: QuerySet[BadgeAward]) -> Sequence[QuerySet[BadgeAward]]:
        asking = [backend for backend in map(registry.get, registry.slugs()) if backend.asks_learners]
        return [backend.accepted(awards) for backend in asking]

    def names(self, template: BadgeTemplate) -> list[str]:
        """Return the names of the providers that have learners accept this badge."""
        return [str(backend.name) for backend in registry.responsible_for(template) if backend.asks_learners]


def count_some(now: datetime) -> bool:
    """Count one week, if a round is due. Return whether the round goes on. A chore."""
    NumbersRound.objects.get_or_create(pk=1, defaults={"due_at": now})
    mine = uuid.uuid4()
    due = NumbersRound.objects.filter(pk=1, due_at__lte=now)
    if not due.update(step=mine, due_at=now + _LOST_AFTER):
        return False  # nothing is due, or another worker is at it
    state = NumbersRound.objects.get(pk=1)
    began, week = (state.began_at, state.next_week) if state.next_week else (now, weekly.next_week(None))
    if week is not None:
        weekly.keep_week(week, weekly.count([week], AtProviders()))
        week = weekly.next_week(week + weekly.WEEK)
    if week is None:
        weekly.keep_totals()
    _note(mine, began or now, week, now)
    return week is not None


def _note(mine: uuid.UUID, began: datetime, week: date | None, now: datetime) -> None:
    """Write how far the round is, unless it took so long that another worker has taken it over."""
    own = NumbersRound.objects.filter(pk=1, step=mine)
    if week is not None:
        own.update(began_at=began, next_week=week, due_at=now, step=None)
        return
    wait = min(max(EVERY, _SHARE * (timezone.now() - began)), _LONGEST)
    own.update(began_at=None, next_week=None, counted_at=began, due_at=began + wait, step=None)


@dataclass(frozen=True)
class Failure:
    """Deliveries that need staff, of one reason. ``delivery_id`` is one of them."""

    reason: str
    number: int
    delivery_id: int


@dataclass(frozen=True)
class OnHold:
    """Deliveries that wait for an account that is paused."""

    channel_id: int
    account: str
    reason: str
    number: int


@dataclass(frozen=True)
class Undelivered:
    """What is not delivered, and why. ``is_cut``: there is more than was looked at, so that numbers are too low.

    A number above ``counting.MOST`` stands for any larger one.
    """

    failures: tuple[Failure, ...]
    on_hold: tuple[OnHold, ...]
    is_cut: bool

    @property
    def failed(self) -> int:
        return sum(failure.number for failure in self.failures)


def undelivered(template_id: int | None = None) -> Undelivered:
    """Return what is not delivered of one badge or of all, the most frequent reasons first.

    Two queries, and one for each account that is paused. Each returns ``MOST + 1`` deliveries at most.
    """
    rows, is_cut = _some(Delivery.objects.filter(state=State.FAILED), template_id)
    reasons: dict[str, list[int]] = defaultdict(list)
    for pk, reason in rows:
        reasons[sentence_of(reason)].append(pk)
    failures = [Failure(localized(reason), len(keys), min(keys)) for reason, keys in reasons.items()]
    failures.sort(key=lambda failure: (-failure.number, failure.reason))
    on_hold = []
    for channel in Channel.objects.exclude(paused_reason="").order_by("pk"):
        waiting, is_more = _some(Delivery.objects.filter(channel=channel, state=State.PENDING), template_id)
        is_cut |= is_more
        if waiting:
            reason = localized(sentence_of(channel.paused_reason))
            on_hold.append(OnHold(channel.pk, channels.name(channel), reason, len(waiting)))
    return Undelivered(tuple(failures), tuple(on_hold), is_cut)


def _some(deliveries: QuerySet[Delivery], template_id: int | None) -> tuple[list[tuple[int, str]], bool]:
    """Return key and reason of the oldest deliveries, one more than ``MOST`` where there are more, and whether so."""
    if template_id is not None:
        deliveries = deliveries.filter(award__progress__template=template_id)
    rows = list(deliveries.order_by("pk").values_list("pk", "last_error")[: MOST + 1])
    return rows, len(rows) > MOST
