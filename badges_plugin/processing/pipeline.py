"""The way of an event, as the specification tells it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import TypeVar

from django.db import IntegrityError
from django.utils import timezone

from badges_plugin import conf
from badges_plugin.data import BadgingEvent, Deferral, LearnerData
from badges_plugin.exceptions import ConfigurationChanged, DeferredEvent, IgnoredEvent
from badges_plugin.host import User
from badges_plugin.processing import learners
from badges_plugin.processing.batch import apply
from badges_plugin.processing.registers import Step
from badges_plugin.ruleset import Ruleset, current_ruleset

ResultT = TypeVar("ResultT")

ATTEMPTS = 5
"""How often an event is tried while staff change one thing after another."""


BATCH_LEARNERS = 150
"""How many learners share a transaction at most.

MySQL plans by its statistics alone, which may be old, from 200 values in a list on (``eq_range_index_dive_limit``), or
where two lists have as many combinations.
"""

BATCH_BADGES = 1_000
"""How many badges of learners a transaction is about at most, unless one event is about more."""


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
    """Apply events of any number of learners, as if they had been processed one after another.

    Returns, in the order of the events, what became of each, or why it must not be applied. Up to BATCH_LEARNERS
    learners share a transaction. Later events of a learner about the same badge, or about one that other badges matter
    to, are applied after the earlier ones, in transactions of their own, so that each award and revocation happens as
    it would without a batch. Any exception means that a transaction was undone as a whole, others perhaps not: the same
    events can be given again, or in smaller batches.
    """
    taken = list(events)
    outcomes: dict[int, Outcome | IgnoredEvent] = {}
    while len(outcomes) < len(taken):
        left = {number: event for number, event in enumerate(taken) if number not in outcomes}
        outcomes |= with_current_ruleset(partial(_process, left))
    return [outcomes[number] for number in range(len(taken))]


def _process(events: Mapping[int, BadgingEvent], ruleset: Ruleset) -> dict[int, Outcome | IgnoredEvent]:
    """Apply as many of these numbered events as one transaction may; return what became of them, by number."""
    outcomes: dict[int, Outcome | IgnoredEvent] = {}
    part = _Part(ruleset)
    for number, event in events.items():
        step = step_of(ruleset, event)
        if step is None:
            learners.note_retirement(event)
            outcomes[number] = Outcome.UNMATCHED
        elif isinstance(step, IgnoredEvent):
            outcomes[number] = step
        else:
            part.offer(number, step)
    batch = [sorted(steps, key=lambda step: step.event.stamp) for steps in part.steps()]
    for numbers, applied in zip(part.numbers(), apply(ruleset, batch), strict=True):
        outcome = applied.ignored or (Outcome.REPEATED if applied.is_repeated else Outcome.APPLIED)
        outcomes |= dict.fromkeys(numbers, outcome)
    return outcomes


class _Part:
    """The events that one transaction takes: of each learner the first, and later ones about other badges.

    A later event about a badge that other badges matter to comes after the commit, when it has heard of them.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self._hearing = ruleset.hearing
        self._left = BATCH_BADGES
        self._taken: dict[LearnerData, dict[int, Step]] = {}
        self._keys: set[object] = set()
        self._passed_over: set[object] = set()
        self._is_anyone_passed_over = False

    def offer(self, number: int, step: Step) -> None:
        """Take an event, or leave it and all later ones of its learner to the next transaction."""
        learner = step.event.learner
        keys = learners.keys_of(learner)
        if self._would_overtake(learner, keys) or not self._takes(learner, keys, step.match.template_ids):
            self._passed_over |= keys
            self._is_anyone_passed_over |= learner.lms_user_id is None
            return
        self._taken.setdefault(learner, {})[number] = step
        self._keys |= keys
        self._left -= len(step.match.template_ids)

    def _would_overtake(self, learner: LearnerData, keys: Collection[object]) -> bool:
        """Whether an earlier event, which was not taken, may be of this learner. A name alone may be anyone's."""
        if self._is_anyone_passed_over or (self._passed_over and learner.lms_user_id is None):
            return True
        return not self._passed_over.isdisjoint(keys)

    def _takes(self, learner: LearnerData, keys: Collection[object], template_ids: Collection[int]) -> bool:
        if self._taken and len(template_ids) > self._left:
            return False
        if mine := self._taken.get(learner):
            return self._hearing.union(*(each.match.template_ids for each in mine.values())).isdisjoint(template_ids)
        return self._keys.isdisjoint(keys) and len(self._taken) < BATCH_LEARNERS

    def numbers(self) -> list[list[int]]:
        """Return the numbers of the events that were taken, by learner."""
        return [list(steps) for steps in self._taken.values()]

    def steps(self) -> list[list[Step]]:
        """Return the events that were taken, with what they mean, by learner."""
        return [list(steps.values()) for steps in self._taken.values()]


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
    now = timezone.now()
    if event.stamp.time <= now:
        return
    not_before = event.stamp.time - conf.config().future_tolerance
    if not_before > now:
        # Without the time: reasons are counted.
        reason = "the event's time is in the future, by the clock of this machine"
        raise DeferredEvent(reason, cause=Deferral.FUTURE, not_before=not_before)
