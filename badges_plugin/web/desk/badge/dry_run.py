"""Who would have a badge today, for people: numbers in words, and whether the badge can be given to them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from badges_plugin import retirement
from badges_plugin.backfill import recorded
from badges_plugin.counting import in_thousands
from badges_plugin.host import User
from badges_plugin.models import BadgeTemplate
from badges_plugin.reading.people import name_of
from badges_plugin.web.desk.links import learner_url
from badges_plugin.web.desk.reached import desk_url

MOST_AT_ONCE = 500
"""Learners to whom a badge is given while somebody waits for the page."""
NAMED = 50
"""Learners who are named."""


@dataclass(frozen=True)
class DryRun:
    """How many learners have done everything and never got the badge, and how many lack one thing."""

    users: tuple[int, ...]
    nearly: int
    is_cut: bool
    unknown: int
    can_be_applied: bool
    """Whether what is on record suffices to give the badge."""

    @property
    def can_be_given(self) -> bool:
        """Whether all of them can be given the badge at once."""
        return self.can_be_applied and not self.is_cut and 0 < self.complete <= MOST_AT_ONCE

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
    return DryRun(users, done.nearly, done.is_cut, done.unknown, recorded.can_be_applied(template))


@dataclass(frozen=True)
class Named:
    """Some of the learners, by name and the address of their page; and how many more there are."""

    learners: Sequence[tuple[str, str]]
    more: int

    @property
    def more_words(self) -> str:
        return in_thousands(self.more)


def named(request: HttpRequest, found: DryRun | None) -> Named | None:
    """Return the learners who would have a badge, for those who may see learners. Two queries."""
    if found is None or not found.users or not desk_url(request, "desk_learner", found.users[0]):
        return None
    shown = found.users[:NAMED]
    rows = list(User.objects.filter(pk__in=shown).order_by("full_name", "username"))
    gone = retirement.retired_among(rows)
    learners = [(name_of(row, is_gone=row.pk in gone), learner_url(row.pk)) for row in rows]
    return Named(learners, found.complete - len(shown))
