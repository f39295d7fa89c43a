"""The badges that learners hold, for the badges that need them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from badges_plugin.data import BadgingEvent
from badges_plugin.host import User
from badges_plugin.models import BadgeAward
from badges_plugin.processing.badge_events import Kind, badge_event_of
from badges_plugin.processing.locking import LockedLearner
from badges_plugin.processing.registers import Step
from badges_plugin.ruleset import Ruleset

Held = tuple[LockedLearner, Sequence[Step]]


def with_held(held: Sequence[Held], ruleset: Ruleset) -> list[Held]:
    """Return learners with their steps and with what is known here of the badges that their templates need.

    The steps of each are in the order of their times. A badge that was held before another one came to need it, or that
    nobody lived to tell of, counts so with the next event. What was heard of before changes nothing. No query unless a
    template needs a badge, else one.
    """
    needing = {
        learner.user.pk: {pk for step in steps for pk in step.match.template_ids if ruleset.templates[pk].needs}
        for learner, steps in held
    }
    needed = {pk for ids in needing.values() for each in ids for pk in ruleset.templates[each].needs}
    if not needed:
        return list(held)
    users = {learner.user.pk: learner.user for learner, _ in held if needing[learner.user.pk]}
    told = _last_events(users, needed)
    return [
        (learner, _with(steps, told[learner.user.pk], needing[learner.user.pk], ruleset)) for learner, steps in held
    ]


def badge_events(user: User, template_ids: Collection[int]) -> Iterator[BadgingEvent]:
    """Yield what happened last to each badge of these templates that a learner has, or had. One query."""
    yield from _last_events({user.pk: user}, template_ids)[user.pk]


def _last_events(users: dict[int, User], template_ids: Collection[int]) -> dict[int, list[BadgingEvent]]:
    awards = BadgeAward.objects.filter(progress__user__in=users.keys(), progress__template__in=template_ids)
    rows = awards.select_related("credential", "progress__template").order_by("number")
    last = {award.progress_id: award for award in rows}
    events: dict[int, list[BadgingEvent]] = defaultdict(list)
    for award in last.values():
        award.progress.user = users[award.progress.user_id]
        kind = Kind.AWARDED if award.revoked_at is None else Kind.REVOKED
        events[award.progress.user_id].append(badge_event_of(award, kind))
    return events


def _with(
    steps: Sequence[Step], events: Iterable[BadgingEvent], needing: Collection[int], ruleset: Ruleset
) -> Sequence[Step]:
    told = {step.event.stamp for step in steps}
    news = [
        Step(event, match)
        for event in events
        if event.stamp not in told and (match := ruleset.match(event).only(needing))
    ]
    return sorted([*steps, *news], key=lambda step: step.event.stamp) if news else steps
