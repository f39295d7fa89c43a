"""The one way in which events become progress and awards: those of any number of learners, in one transaction.

One event is a batch of one learner with one step, a history one of a learner with many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from edx_django_utils.monitoring import set_custom_attribute

from badges_plugin.data import BadgingEvent, LearnerData
from badges_plugin.exceptions import DeferredEvent, IgnoredEvent, LearnerAppeared
from badges_plugin.processing import collector, holding, learners, locking, progression, repeats
from badges_plugin.processing.collector import Collected
from badges_plugin.processing.found_users import FoundUser
from badges_plugin.processing.registers import Step
from badges_plugin.ruleset import Ruleset


@dataclass(frozen=True)
class Applied:
    """What became of one learner's steps."""

    collected: tuple[tuple[int, Collected], ...] = ()
    """What followed, by primary key of the template."""
    is_new_learner: bool = False
    """Whether the learner had to be created as a user."""
    is_repeated: bool = False
    """Whether all of it was applied before."""
    ignored: IgnoredEvent | None = None
    """Why none of it must be applied."""


@dataclass(frozen=True)
class _Pending:
    """One learner's steps that say something new. ``number`` is their place in the batch."""

    number: int
    steps: Sequence[Step]
    wanted: locking.Wanted


def apply(ruleset: Ruleset, batch: Sequence[Sequence[Step]]) -> list[Applied]:
    """Apply the steps of learners, each learner's oldest first. Returns what became of each learner's.

    Award and revocation follow once for a learner and template, from where the steps began and where they end. What
    was applied before takes no lock. The number of statements does not depend on the number of learners. What must not
    be applied is named in the result and does not touch the others. Any exception means that a transaction was undone.
    Should two of the batch be one learner after all, the second is looked up and applied after the first.
    """
    results: dict[int, Applied] = {}
    left = dict(enumerate(batch))
    while left:
        together, left = _apart(left)
        if pending := _news(ruleset, together, results):
            results |= _together(ruleset, pending)
    if any(result.collected for result in results.values()):
        report_counts(what for result in results.values() for _, what in result.collected)
    return [results[number] for number in range(len(batch))]


@dataclass(frozen=True)
class _Found:
    """One learner's steps, and the users whom ``learners.find_many`` found."""

    steps: Sequence[Step]
    event: BadgingEvent
    people: list[FoundUser] | DeferredEvent

    @property
    def keys(self) -> frozenset[object]:
        """Return what no two learners of one transaction share."""
        users = [] if isinstance(self.people, DeferredEvent) else self.people
        return learners.keys_of(self.event.learner) | {("user", user.pk) for user in users}


def _apart(batch: Mapping[int, Sequence[Step]]) -> tuple[dict[int, _Found], dict[int, Sequence[Step]]]:
    """Look up learners. Return those each of whom is another one, as a rule all of them, and what is left."""
    events = [_with_whole_profile(steps) for steps in batch.values()]
    found = learners.find_many([event.learner for event in events])
    together: dict[int, _Found] = {}
    later: dict[int, Sequence[Step]] = {}
    taken: set[object] = set()
    for (number, steps), event, people in zip(batch.items(), events, found, strict=True):
        one = _Found(steps, event, people)
        keys = one.keys
        if taken.isdisjoint(keys):
            together[number] = one
        else:
            later[number] = steps
        taken |= keys
    return together, later


def _news(ruleset: Ruleset, batch: Mapping[int, _Found], results: dict[int, Applied]) -> list[_Pending]:
    """Return the learners' steps that say something new; what becomes of the others is added to ``results``."""
    alive: list[_Pending] = []
    for number, one in batch.items():
        if isinstance(one.people, DeferredEvent):
            results[number] = Applied(ignored=one.people)
            continue
        try:
            learners.refuse_gone(one.event, one.people)
        except IgnoredEvent as reason:
            results[number] = Applied(ignored=reason)
            continue
        user = one.people[0] if one.people else None
        alive.append(_Pending(number, one.steps, locking.Wanted(one.event, user)))
    known = [(one.number, one.wanted.found, one.steps) for one in alive if one.wanted.found is not None]
    answers = repeats.applied([(user, steps) for _, user, steps in known], ruleset)
    repeated = {number for (number, _, _), is_applied in zip(known, answers, strict=True) if is_applied}
    results |= dict.fromkeys(repeated, Applied(is_repeated=True))
    return [one for one in alive if one.number not in repeated]


def _together(ruleset: Ruleset, pending: Sequence[_Pending]) -> dict[int, Applied]:
    try:
        return _in_transaction(ruleset, pending)
    except LearnerAppeared:
        if len(pending) == 1:
            raise
    # A user of that name was made at the same instant, or the database takes two of the names for the same: only by
    # itself is each of them looked up as the database compares names.
    results: dict[int, Applied] = {}
    for one in pending:
        results |= _in_transaction(ruleset, [one])
    return results


def _in_transaction(ruleset: Ruleset, pending: Sequence[_Pending]) -> dict[int, Applied]:
    with transaction.atomic():
        return _apply(ruleset, pending)


def _apply(ruleset: Ruleset, pending: Sequence[_Pending]) -> dict[int, Applied]:
    results: dict[int, Applied] = {}
    held: list[tuple[_Pending, locking.LockedLearner]] = []
    for one, learner in zip(pending, locking.hold([one.wanted for one in pending]), strict=True):
        if isinstance(learner, IgnoredEvent):
            results[one.number] = Applied(ignored=learner)
        else:
            held.append((one, learner))
    if not held:
        return results
    ruleset.must_be_current(progression.touched(one.steps for one, _ in held))
    # In the order of the users' keys, so that two batches write in the same order.
    held.sort(key=lambda each: each[1].user.pk)
    steps = holding.with_held([(learner, one.steps) for one, learner in held], ruleset)
    changes = progression.apply(steps, ruleset)
    collected = iter(collector.collect([change for of_learner in changes for change in of_learner]))
    for (one, _), of_learner in zip(held, changes, strict=True):
        results[one.number] = Applied(
            tuple((change.template.id, next(collected)) for change in of_learner),
            is_new_learner=one.wanted.found is None,
        )
    return results


def report_counts(collected: Iterable[Collected]) -> None:
    """Tell the monitoring how many badges were awarded and revoked together.

    .. custom_attribute_name: badges_awarded
    .. custom_attribute_description: Number of badges that were awarded by the event.
    .. custom_attribute_name: badges_revoked
    .. custom_attribute_description: Number of badges that were revoked by the event.
    """
    numbers = Counter(collected)
    set_custom_attribute("badges_awarded", numbers[Collected.AWARDED])
    set_custom_attribute("badges_revoked", numbers[Collected.REVOKED])


def _with_whole_profile(steps: Sequence[Step]) -> BadgingEvent:
    """Return the newest event, with what it leaves out about its learner taken from the newest one that says it."""
    newest = steps[-1].event
    if len(steps) == 1:
        return newest
    people = [step.event.learner for step in reversed(steps)]
    lms_user_id = next((one.lms_user_id for one in people if one.lms_user_id is not None), None)
    username = next((one.username for one in people if one.username), "")
    # What was said of them under an older user name is over: a learner who is retired gets another one.
    people = [one for one in people if one.username in {username, ""}]
    whole = LearnerData(
        lms_user_id=lms_user_id,
        username=username,
        email=next((one.email for one in people if one.email), ""),
        name=next((one.name for one in people if one.name), ""),
        is_active=newest.learner.is_active,
    )
    return replace(newest, learner=whole)
