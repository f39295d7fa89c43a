"""Who would have a badge today, for people: numbers in words, and whether the badge can be given to them at once."""

from __future__ import annotations

from dataclasses import dataclass

from badges_plugin.backfill import recorded
from badges_plugin.counting import in_thousands
from badges_plugin.models import BadgeTemplate

MOST_AT_ONCE = 500
"""Learners to whom a badge is given while somebody waits for the page."""


@dataclass(frozen=True)
class DryRun:
    """How many learners have done everything and never got the badge, and how many lack one thing."""

    users: tuple[int, ...]
    nearly: int
    is_cut: bool
    unknown: int
    can_be_given: bool
    """Whether what is on record suffices to give the badge now, and the learners are few enough."""

    @property
    def complete(self) -> int:
        return len(self.users)

    @property
    def complete_words(self) -> str:
        return in_thousands(min(self.complete, recorded.MOST))

    @property
    def nearly_words(self) -> str:
        return in_thousands(self.nearly)


def who_would_have(template: BadgeTemplate) -> DryRun:
    """Return who has done what a template asks for, stored or in memory. Three queries, and two for each line."""
    done = recorded.who_has_done(template)
    users = tuple(recorded.without_award(template, done.complete)) if done.complete else ()
    is_feasible = not done.is_cut and 0 < len(users) <= MOST_AT_ONCE and recorded.can_be_applied(template)
    return DryRun(users, done.nearly, done.is_cut, done.unknown, is_feasible)
