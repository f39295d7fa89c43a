"""The way of an event, as the specification tells it."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone
from edx_django_utils.monitoring import set_custom_attribute

from badges_plugin import conf
from badges_plugin.data import BadgingEvent, Deferral
from badges_plugin.exceptions import ConfigurationChanged, DeferredEvent
from badges_plugin.host import User
from badges_plugin.processing import collector, holding, learners, progression
from badges_plugin.processing.collector import Collected
from badges_plugin.ruleset import Ruleset, current_ruleset

ResultT = TypeVar("ResultT")

ATTEMPTS = 5
"""How often an event is tried while staff change one thing after another."""


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
    return with_current_ruleset(lambda ruleset: _process(ruleset, event))


def _process(ruleset: Ruleset, event: BadgingEvent) -> Outcome:
    match = ruleset.match(event)
    if not match:
        learners.note_retirement(event)
        return Outcome.UNMATCHED
    refuse_future(event)
    steps = [progression.Step(event, match)]
    people = learners.find_all(event.learner)
    learners.refuse_gone(event, people)
    found = people[0] if people else None
    if found is not None and progression.is_applied(found, steps, ruleset):
        return Outcome.REPEATED
    with transaction.atomic():
        held = learners.lock_and_update(learners.get_or_create(found, event), event)
        ruleset.must_be_current()
        known = holding.with_held(held.user, steps, ruleset)
        collected = collector.collect(progression.apply(held, known, ruleset))
    count(collected)
    return Outcome.APPLIED


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


def refuse_future(event: BadgingEvent) -> None:
    """Raise DeferredEvent for an event from the future: applied, it would make every event until then look old."""
    not_before = event.stamp.time - conf.config().future_tolerance
    if not_before > timezone.now():
        # Without the time: reasons are counted.
        reason = "the event's time is in the future, by the clock of this machine"
        raise DeferredEvent(reason, cause=Deferral.FUTURE, not_before=not_before)


def count(collected: Iterable[Collected]) -> None:
    """Tell the monitoring how many badges an event, or a history, awarded and revoked.

    .. custom_attribute_name: badges_awarded
    .. custom_attribute_description: Number of badges that were awarded by the event.
    .. custom_attribute_name: badges_revoked
    .. custom_attribute_description: Number of badges that were revoked by the event.
    """
    numbers = Counter(collected)
    set_custom_attribute("badges_awarded", numbers[Collected.AWARDED])
    set_custom_attribute("badges_revoked", numbers[Collected.REVOKED])
