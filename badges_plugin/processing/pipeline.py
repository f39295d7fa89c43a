"""The way of an event, as the specification tells it."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from django.db import IntegrityError
from django.utils import timezone

from badges_plugin import conf
from badges_plugin.data import BadgingEvent, Deferral
from badges_plugin.exceptions import ConfigurationChanged, DeferredEvent, IgnoredEvent
from badges_plugin.host import User
from badges_plugin.processing import learners
from badges_plugin.processing.batch import apply
from badges_plugin.processing.registers import Step
from badges_plugin.ruleset import Ruleset, current_ruleset

ResultT = TypeVar("ResultT")

ATTEMPTS = 5
"""How often an event is tried while staff change one thing after another."""


BATCH_LEARNERS = 50
"""How many learners share a transaction at most."""


class Outcome(enum.Enum):
    """What became of an event."""

    UNMATCHED = "unmatched"
    """No active requirement or penalty applies to it."""
    REPEATED = "repeated"
    """All it says was applied before, or something newer was."""
    APPLIED = "applied"


def process_event(event: BadgingEvent) -> Outcome:
    """Apply an event to its learner's progress; award and revoke what follows from it.

    Idempotent, and independent of the order of arrival: an event that was applied, or that is older than what
    was applied, changes nothing. What matches nothing costs one query and leaves no trace of the learner.
    Raises IgnoredEvent for an event that can never be applied, and its subclass DeferredEvent for one that perhaps can
    be later; any other exception means that nothing of it was.
    """
    (outcome,) = process_batch([event])
    if isinstance(outcome, IgnoredEvent):
        raise outcome
    return outcome


def process_batch(events: Iterable[BadgingEvent]) -> list[Outcome | IgnoredEvent]:
    """Apply events of any number of learners; each learner's end as if they had been processed one after another.

    Returns, in the order of the events, what became of each, or why it must not be applied. Up to BATCH_LEARNERS
    learners share a transaction; award and revocation follow once for a learner and badge, from where the events began
    and where they end, as in ``process_history``. Any exception but those of single events means that nothing of the
    learners of one transaction was applied: the same events can be given again, or in smaller batches.
    """
    taken = list(events)
    of_learners: dict[object, dict[int, BadgingEvent]] = defaultdict(dict)
    for number, event in enumerate(taken):
        of_learners[event.learner.lms_user_id or event.learner.username.casefold()][number] = event
    outcomes: dict[int, Outcome | IgnoredEvent] = {}
    waiting = list(of_learners.values())
    while waiting:
        part, waiting = waiting[:BATCH_LEARNERS], waiting[BATCH_LEARNERS:]
        outcomes |= with_current_ruleset(partial(_process, part))
    return [outcomes[number] for number in range(len(taken))]


def _process(batch: Sequence[Mapping[int, BadgingEvent]], ruleset: Ruleset) -> dict[int, Outcome | IgnoredEvent]:
    """Return what became of numbered events, by number; each of the batch has the events of one learner."""
    outcomes: dict[int, Outcome | IgnoredEvent] = {}
    matched: list[dict[int, Step]] = []
    for events in batch:
        steps: dict[int, Step] = {}
        for number, event in sorted(events.items(), key=lambda item: item[1].stamp):
            step = step_of(ruleset, event)
            if step is None:
                learners.note_retirement(event)
                outcomes[number] = Outcome.UNMATCHED
            elif isinstance(step, IgnoredEvent):
                outcomes[number] = step
            else:
                steps[number] = step
        if steps:
            matched.append(steps)
    for steps, applied in zip(matched, apply(ruleset, [list(steps.values()) for steps in matched]), strict=True):
        outcome = applied.ignored or (Outcome.REPEATED if applied.is_repeated else Outcome.APPLIED)
        outcomes |= dict.fromkeys(steps, outcome)
    return outcomes


def step_of(
    ruleset: Ruleset, event: BadgingEvent, templates: Collection[int] | None = None
) -> Step | IgnoredEvent | None:
    """Return what an event means, for these templates or for all; None: nothing; or why it must not be applied."""
    match = ruleset.match(event)
    if templates is not None:
        match = match.only(templates)
    if not match:
        return None
    try:
        _refuse_future(event)
    except IgnoredEvent as reason:
        return reason
    return Step(event, match)


def with_current_ruleset(work: Callable[[Ruleset], ResultT]) -> ResultT:
    """Do work that applies the ruleset, and do it again when the configuration was changed under it.

    The ruleset is read before the learner is held. Work that finds it outdated then, or whose writing fails
    because it refers to what was deleted in between, was undone as a whole. Raises ConfigurationChanged when the
    changes do not end: while many templates are synchronized, say. Whoever has the time tries it again later.
    """
    for attempt in range(1, ATTEMPTS + 1):
        ruleset = current_ruleset()
        try:
            return work(ruleset)
        except (ConfigurationChanged, IntegrityError, User.DoesNotExist) as error:
            if attempt == ATTEMPTS or (isinstance(error, IntegrityError) and current_ruleset() is ruleset):
                raise
    raise AssertionError("unreachable")


def _refuse_future(event: BadgingEvent) -> None:
    """Raise DeferredEvent for an event from the future: applied, it would make every event until then look old."""
    not_before = event.stamp.time - conf.config().future_tolerance
    if not_before > timezone.now():
        # Without the time: reasons are counted.
        reason = "the event's time is in the future, by the clock of this machine"
        raise DeferredEvent(reason, cause=Deferral.FUTURE, not_before=not_before)
