"""Count uses against a limit per period, in the service's default cache."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from django.core.cache import cache

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit of uses under a name. ``rate`` is written as "20/min"; the period begins with the first use."""

    name: str
    rate: str

    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return int(cache.get(self._key, 0)) >= self._limit

    def spend(self) -> bool:
        """Use one; return False when none was left."""
        cache.add(self._key, 0, self._period)
        try:
            return int(cache.incr(self._key)) <= self._limit
        except ValueError:
            # The period ended in between, or the cache keeps nothing.
            cache.set(self._key, 1, self._period)
            return True

    def refund(self) -> None:
        """Give one back, unless the period has ended meanwhile."""
        with suppress(ValueError):
            cache.decr(self._key)

    @property
    def _key(self) -> str:
        return f"badges_plugin.budget.{self.name}"

    @property
    def _limit(self) -> int:
        return int(self.rate.partition("/")[0])

    @property
    def _period(self) -> int:
        return _SECONDS[self.rate.partition("/")[2][0]]
