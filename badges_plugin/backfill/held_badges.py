"""The badges that learners have had, as events: for badges that came to need them later."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db.models import Exists, OuterRef, QuerySet

from badges_plugin import api
from badges_plugin.data import BadgingEvent
from badges_plugin.host import User
from badges_plugin.models import BadgeAward
from badges_plugin.ruleset import current_ruleset

_AT_ONCE = 500


class HeldBadges:
    """What happened last to each badge that an active badge needs, by learner. The awards tell it."""

    def __init__(self, templates: Collection[int] | None) -> None:
        """``templates``: primary keys of the badges that need others; None for all that are active."""
        active = current_ruleset().templates
        wanted = active.values() if templates is None else [active[pk] for pk in templates if pk in active]
        self._needed = frozenset(needed for template in wanted for needed in template.needs)

    def count_learners(self) -> int:
        """Return how many learners have, or had, one of these badges."""
        return self._learners().count()

    def by_learner(self) -> Iterator[list[BadgingEvent]]:
        """Yield the events of each learner."""
        last = 0
        while users := list(self._learners().filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
            for user in users:
                yield list(api.badge_events(user, self._needed))
            last = users[-1].pk

    def _learners(self) -> QuerySet[User]:
        awards = BadgeAward.objects.filter(progress__user=OuterRef("pk"), progress__template__in=self._needed)
        return User.objects.filter(Exists(awards))
