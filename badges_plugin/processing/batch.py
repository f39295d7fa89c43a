"""The one way in which events become progress and awards: those of any number of learners, in one transaction.

One event is a batch of one learner with one step, a history one of a learner with many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from edx_django_utils.monitoring import set_custom_attribute

from badges_plugin.data import BadgingEvent, LearnerData
from badges_plugin.exceptions import IgnoredEvent
from badges_plugin.host import User
from badges_plugin.processing import collector, holding, learners, progression
from badges_plugin.processing.collector import Collected
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
    event: BadgingEvent
    """The newest, which says who the learner is."""
    found: User | None


def apply(ruleset: Ruleset, batch: Sequence[Sequence[Step]]) -> list[Applied]:
    """Apply the steps of learners, each learner's oldest first. Returns what became of each learner's.

    Award and revocation follow once for a learner and template, from where the steps began and where they end. What
    was applied before takes no lock. Any exception means that nothing was applied; what must not be applied is named
    in the result and does not touch the others.
    """
    results: list[Applied] = []
    pending: list[_Pending] = []
    for number, steps in enumerate(batch):
        event = _with_whole_profile(steps)
        try:
            people = learners.find_all(event.learner)
            learners.refuse_gone(event, people)
        except IgnoredEvent as reason:
            results.append(Applied(ignored=reason))
            continue
        found = people[0] if people else None
        is_repeated = found is not None and progression.is_applied(found, steps, ruleset)
        results.append(Applied(is_repeated=is_repeated))
        if not is_repeated:
            pending.append(_Pending(number, steps, event, found))
    if pending:
        with transaction.atomic():
            for one, result in _apply(ruleset, pending):
                results[one.number] = result
        report_counts(what for result in results for _, what in result.collected)
    return results


def _apply(ruleset: Ruleset, pending: Sequence[_Pending]) -> list[tuple[_Pending, Applied]]:
    results: list[tuple[_Pending, Applied]] = []
    targets: list[tuple[_Pending, learners.FoundOrCreated]] = []
    # Two batches must not wait for each other: locks for new learners first, in their order, then the users' in theirs.
    for one in sorted(pending, key=lambda one: learners.lock_number(one.found, one.event) or 0):
        try:
            targets.append((one, learners.get_or_create(one.found, one.event)))
        except IgnoredEvent as reason:
            results.append((one, Applied(ignored=reason)))
    held: list[tuple[_Pending, learners.LockedLearner]] = []
    for one, target in sorted(targets, key=lambda target: target[1].user.pk):
        try:
            held.append((one, learners.lock_and_update(target, one.event)))
        except IgnoredEvent as reason:  # retired since they were looked up
            results.append((one, Applied(ignored=reason)))
    ruleset.must_be_current()
    changed = [
        (one, progression.apply(learner, holding.with_held(learner.user, one.steps, ruleset), ruleset))
        for one, learner in held
    ]
    collected = iter(collector.collect([change for _, changes in changed for change in changes]))
    for one, changes in changed:
        what = tuple((change.template.id, next(collected)) for change in changes)
        results.append((one, Applied(what, is_new_learner=one.found is None)))
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
