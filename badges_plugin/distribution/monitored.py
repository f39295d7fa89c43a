"""What the monitoring asks about deliveries: how many there are, since when, and which accounts fail.

Each number is read from an index, however many deliveries there are, and counted up to a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from badges_plugin.counting import count_up_to
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.retry import UNSETTLED, State

MOST_ACCOUNTS = 200
"""Accounts that are told of, those that fail first."""


@dataclass(frozen=True)
class Account:
    """An account at a provider. Paused: its key is rejected. Resting: after failures, or because the provider asks."""

    backend: str
    account: str
    is_paused: bool
    is_resting: bool
    failures: int


def accounts(now: datetime) -> list[Account]:
    """Return the accounts to which something was ever sent. One query."""
    rows = Channel.objects.order_by("-paused_reason", "-failures", "pk")[:MOST_ACCOUNTS]
    return [
        Account(
            backend=row.backend,
            account=row.account,
            is_paused=bool(row.paused_reason),
            is_resting=row.is_resting(now),
            failures=row.failures,
        )
        for row in rows
    ]


def unsettled() -> dict[State, int]:
    """Return how many deliveries are not settled, by their state. Three queries."""
    return {state: count_up_to(Delivery.objects.filter(state=state)) for state in UNSETTLED}


def oldest() -> dict[State, datetime]:
    """Return when the first of the deliveries in a state was queued; none for a state without any. Three queries."""
    found = {}
    for state in UNSETTLED:
        # The index of state and settled_at has the rows in the order of their keys.
        rows = Delivery.objects.filter(state=state, settled_at=None).order_by("pk")
        if created := rows.values_list("created", flat=True).first():
            found[state] = created
    return found


def due_since(now: datetime) -> datetime | None:
    """Return since when the first delivery is due that nothing but a worker keeps waiting. One query."""
    due = Delivery.objects.filter(channel=OuterRef("pk"), state=State.PENDING).order_by("next_attempt_at")
    open_ones = Channel.objects.filter(Channel.rested(now), paused_reason="", failures=0)
    first = open_ones.annotate(first=Subquery(due.values("next_attempt_at")[:1])).values_list("first", "rest_until")
    return min((max(filter(None, times)) for times in first if times[0] is not None), default=None)
