"""How far a consumer group is behind: asked of the bus, without joining the group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module

from django.conf import settings

from badges_plugin.consumers.exceptions import CannotGoOn, Unmeasured


@dataclass(frozen=True)
class Lag:
    """How many events of a partition the group has yet to process, and when the first of them came.

    ``messages`` is None where the bus does not say. ``oldest_at`` is None if nothing waits, or if it is not known.
    """

    partition: int
    messages: int | None
    oldest_at: datetime | None

    def seconds(self, now: datetime) -> int | None:
        """Return how long the first of them has waited, 0 if none does; None if that is not known."""
        if self.oldest_at is None:
            return 0 if self.messages == 0 else None
        return max(round((now - self.oldest_at).total_seconds()), 0)


Measure = Callable[[str, str], Sequence[Lag]]
"""Given a topic or stream, with its prefix, and a group. Raises Unmeasured."""


# Imported only for the configured bus: the client of the other one may be missing.
_MEASURES = {"kafka": "badges_plugin.consumers.kafka_lag", "redis": "badges_plugin.consumers.redis_lag"}


def configured_buses() -> list[str]:
    """Return which of "kafka" and "redis" the settings name."""
    names = f"{getattr(settings, 'EVENT_BUS_CONSUMER', '')} {getattr(settings, 'EVENT_BUS_PRODUCER', '')}".lower()
    return [bus for bus in _MEASURES if bus in names]


def measure(bus: str, topic: str, group: str) -> Sequence[Lag]:
    """Return how far a group is behind, by partition. Uses no database. Raises Unmeasured."""
    try:
        measured: Sequence[Lag] = import_module(_MEASURES[bus]).measure(topic, group)
    except ImportError as error:
        raise Unmeasured(f"the client of {bus} is not installed") from error
    except CannotGoOn as error:
        raise Unmeasured(str(error)) from error
    return measured
