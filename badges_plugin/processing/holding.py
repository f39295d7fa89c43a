"""The badges that a learner holds, for the badges that need them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from badges_plugin.data import BadgingEvent
from badges_plugin.host import User
from badges_plugin.models import BadgeAward
from badges_plugin.processing.badge_events import Kind, badge_event_of
from badges_plugin.processing.registers import Step
from badges_plugin.ruleset import Ruleset


def with_held(user: User, steps: Sequence[Step], ruleset: Ruleset) -> Sequence[Step]:
    """Return the steps with what is known here of the badges that their templates need, oldest first.

    A badge that was held before another one came to need it, or that nobody lived to tell of, counts so with the next
    event. What was heard of before changes nothing. No query unless a template needs a badge, else one.
    """
    touched = {pk for step in steps for pk in step.match.template_ids}
    needing = {pk for pk in touched if ruleset.templates[pk].needs}
    if not needing:
        return steps
    told = {step.event.stamp for step in steps}
    held = []
    for event in badge_events(user, {needed for pk in needing for needed in ruleset.templates[pk].needs}):
        match = ruleset.match(event).only(needing)
        if match and event.stamp not in told:
            held.append(Step(event, match))
    return sorted([*steps, *held], key=lambda step: step.event.stamp)


def badge_events(user: User, template_ids: Collection[int]) -> Iterator[BadgingEvent]:
    """Yield what happened last to each badge of these templates that a learner has, or had. One query."""
    awards = BadgeAward.objects.filter(progress__user=user, progress__template__in=template_ids)
    rows = awards.select_related("credential", "progress__template").order_by("number")
    last = {award.progress_id: award for award in rows}
    for award in last.values():
        award.progress.user = user
        yield badge_event_of(award, Kind.AWARDED if award.revoked_at is None else Kind.REVOKED)
