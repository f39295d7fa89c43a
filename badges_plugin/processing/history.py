"""A learner's past, applied at once: for replay of the bus and for what the bus no longer holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from badges_plugin.data import BadgingEvent, LearnerData
from badges_plugin.exceptions import IgnoredEvent
from badges_plugin.processing import collector, holding, learners, progression
from badges_plugin.processing.collector import Collected
from badges_plugin.processing.pipeline import count, refuse_future, with_current_ruleset
from badges_plugin.processing.progression import Step
from badges_plugin.ruleset import Ruleset


@dataclass(frozen=True)
class HistoryChanges:
    """What a history changed, or would change."""

    awarded: tuple[int, ...] = ()
    """Primary keys of the templates that were awarded."""
    revoked: tuple[int, ...] = ()
    is_new_learner: bool = False
    """Whether the learner had to be created as a user."""
    is_repeated: bool = False
    """Whether all of it was applied before."""
    ignored: tuple[str, ...] = ()
    """The reasons why events, or all of them, must not be applied."""


def process_history(
    events: Iterable[BadgingEvent], *, templates: Collection[int] | None = None, dry_run: bool = False
) -> HistoryChanges:
    """Apply events of one learner, whatever their order, in one transaction; award and revoke once, at the end.

    Progress ends as if each event had been processed by itself. Awards and revocations follow from where the
    history began and where it ends: what was lost and earned again on the way is neither revoked nor awarded
    again, and what was earned and lost is not awarded at all. ``templates`` limits it to templates with these
    primary keys; with ``dry_run`` all is undone again. The caller says which events are of one learner.
    """
    past = list(events)
    return with_current_ruleset(lambda ruleset: _process(ruleset, past, templates, dry_run=dry_run))


def _process(
    ruleset: Ruleset, events: Sequence[BadgingEvent], templates: Collection[int] | None, *, dry_run: bool
) -> HistoryChanges:
    steps, ignored = _steps(ruleset, events, templates)
    try:
        for event in events:
            if not dry_run:
                learners.note_retirement(event)
            learners.refuse_retired(event.learner, None)
    except IgnoredEvent as reason:
        # Whatever they did before: who has not been here yet must not come to be here now.
        return HistoryChanges(ignored=(reason.reason,))
    if not steps:
        return HistoryChanges(ignored=ignored)
    try:
        changes = _rehearse(ruleset, steps) if dry_run else _apply(ruleset, steps)
    except IgnoredEvent as reason:
        return HistoryChanges(ignored=(*ignored, reason.reason))
    return replace(changes, ignored=ignored)


def _steps(
    ruleset: Ruleset, events: Iterable[BadgingEvent], templates: Collection[int] | None
) -> tuple[Sequence[Step], tuple[str, ...]]:
    """Return the events that mean something, oldest first, and why others are left out."""
    steps, ignored = [], []
    for event in sorted(events, key=lambda event: event.stamp):
        match = ruleset.match(event)
        if templates is not None:
            match = match.only(templates)
        if not match:
            continue
        try:
            refuse_future(event)
        except IgnoredEvent as reason:
            ignored.append(reason.reason)
        else:
            steps.append(Step(event, match))
    return steps, tuple(ignored)


def _rehearse(ruleset: Ruleset, steps: Sequence[Step]) -> HistoryChanges:
    with transaction.atomic():
        changes = _apply(ruleset, steps)
        transaction.set_rollback(True)
    return changes


def _apply(ruleset: Ruleset, steps: Sequence[Step]) -> HistoryChanges:
    newest = _with_whole_profile(steps)
    people = learners.find_all(newest.learner)
    learners.refuse_gone(newest, people)
    found = people[0] if people else None
    if found is not None and progression.is_applied(found, steps, ruleset):
        return HistoryChanges(is_repeated=True)
    with transaction.atomic():
        held = learners.lock_and_update(learners.get_or_create(found, newest), newest)
        ruleset.must_be_current()
        changes = progression.apply(held, holding.with_held(held.user, steps, ruleset), ruleset)
        collected = list(zip((change.template.id for change in changes), collector.collect(changes), strict=True))
    count(what for _, what in collected)
    return HistoryChanges(
        awarded=tuple(pk for pk, what in collected if what is Collected.AWARDED),
        revoked=tuple(pk for pk, what in collected if what is Collected.REVOKED),
        is_new_learner=found is None,
    )


def _with_whole_profile(steps: Sequence[Step]) -> BadgingEvent:
    """Return the newest event, with what it leaves out about its learner taken from the newest one that says it."""
    newest = steps[-1].event
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
