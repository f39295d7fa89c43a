"""A learner's past, applied at once: for replay of the bus and for what the bus no longer holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from badges_plugin.data import BadgingEvent
from badges_plugin.exceptions import IgnoredEvent
from badges_plugin.processing import learners
from badges_plugin.processing.batch import Applied, apply
from badges_plugin.processing.collector import Collected
from badges_plugin.processing.pipeline import step_of, with_current_ruleset
from badges_plugin.processing.registers import Step
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
    (changes,) = process_histories([list(events)], templates=templates, dry_run=dry_run)
    return changes


def process_histories(
    histories: Sequence[Sequence[BadgingEvent]],
    *,
    templates: Collection[int] | None = None,
    dry_run: bool = False,
) -> list[HistoryChanges]:
    """Apply the histories of several learners, each as ``process_history`` does, in one transaction.

    Returns what each changed, or would change. Any exception means that nothing was applied.
    """
    return with_current_ruleset(lambda ruleset: _process(ruleset, histories, templates, dry_run=dry_run))


def _process(
    ruleset: Ruleset,
    histories: Sequence[Sequence[BadgingEvent]],
    templates: Collection[int] | None,
    *,
    dry_run: bool,
) -> list[HistoryChanges]:
    changes: dict[int, HistoryChanges] = {}
    batch: dict[int, list[Step]] = {}
    ignored: dict[int, tuple[str, ...]] = {}
    for number, events in enumerate(histories):
        steps, ignored[number] = _steps(ruleset, events, templates)
        try:
            for event in events:
                if not dry_run:
                    learners.note_retirement(event)
                learners.refuse_retired(event.learner)
        except IgnoredEvent as reason:
            # Whatever they did before: who has not been here yet must not come to be here now.
            changes[number] = HistoryChanges(ignored=(reason.reason,))
            continue
        if steps:
            batch[number] = steps
        else:
            changes[number] = HistoryChanges(ignored=ignored[number])
    for number, applied in zip(batch, _apply(ruleset, list(batch.values()), dry_run=dry_run), strict=True):
        changes[number] = _changes(applied, ignored[number])
    return [changes[number] for number in range(len(histories))]


def _changes(applied: Applied, ignored: tuple[str, ...]) -> HistoryChanges:
    if applied.ignored is not None:
        return HistoryChanges(ignored=(*ignored, applied.ignored.reason))
    return HistoryChanges(
        awarded=tuple(pk for pk, what in applied.collected if what is Collected.AWARDED),
        revoked=tuple(pk for pk, what in applied.collected if what is Collected.REVOKED),
        is_new_learner=applied.is_new_learner,
        is_repeated=applied.is_repeated,
        ignored=ignored,
    )


def _steps(
    ruleset: Ruleset, events: Iterable[BadgingEvent], templates: Collection[int] | None
) -> tuple[list[Step], tuple[str, ...]]:
    """Return the events that mean something, oldest first, and why others are left out."""
    found = [step_of(ruleset, event, templates) for event in sorted(events, key=lambda event: event.stamp)]
    steps = [step for step in found if isinstance(step, Step)]
    return steps, tuple(step.reason for step in found if isinstance(step, IgnoredEvent))


def _apply(ruleset: Ruleset, batch: Sequence[Sequence[Step]], *, dry_run: bool) -> list[Applied]:
    # What was applied before is looked up without a transaction, unless there is a reason for one.
    if len(batch) <= 1 and not dry_run:
        return apply(ruleset, batch)
    with transaction.atomic():
        applied = apply(ruleset, batch)
        if dry_run:
            transaction.set_rollback(True)
    return applied
