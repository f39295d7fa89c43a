"""Fulfillments: what an event sets and resets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef

from badges_plugin.data import BadgingEvent, EventStamp
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress, Fulfillment
from badges_plugin.processing import learners
from badges_plugin.ruleset import CompiledTemplate, Match, Ruleset


@dataclass(frozen=True)
class Step:
    """An event and what it means."""

    event: BadgingEvent
    match: Match


@dataclass(frozen=True)
class ProgressChange:
    """What one event, or a history of them, did to one learner's progress on one template."""

    progress: BadgeProgress
    template: CompiledTemplate
    fulfillments: Mapping[int, Fulfillment]
    """The state now, by requirement id."""
    is_first: bool
    """Whether the learner had no progress on this template before."""
    stayed_complete: bool
    """Whether it was complete before and all the way: what was never incomplete is not earned anew."""
    reset_by: BadgingEvent | None
    """The last event that broke a group: it took away the last requirement of it that was fulfilled, the forgotten
    ones apart."""

    @property
    def is_complete(self) -> bool:
        return self.completed_since(self.progress.counts_from) is not None

    def completed_since(self, counts_from: datetime | None) -> datetime | None:
        """Return when it became complete by what is newer than a moment; None when that is not enough.

        By the times of events and not of their arrival.
        """
        since = {
            row.requirement_id: row.event_time if counts_from and row.held_since <= counts_from else row.held_since
            for row in self.fulfillments.values()
            if self.template.counts(row) and (counts_from is None or row.event_time > counts_from)
        }
        return self.template.completed_at(since) if self.template.is_complete(frozenset(since)) else None


def is_applied(user: User, steps: Sequence[Step], ruleset: Ruleset) -> bool:
    """Whether the events can change nothing any more. One query, no lock.

    Stamps only ever grow while the rules stay, so an answer of True stays true. A progress that is complete without
    ever having been awarded (its configuration was changed since) is not finished: the repeated event will award it.
    Nor is a fulfillment that does not count under the rules of today: the repeated event will renew it.
    """
    if not learners.is_known(user):
        return False
    stored: dict[int, dict[int, Fulfillment]] = defaultdict(dict)
    never_awarded: set[int] = set()
    template_ids = _touched_templates(steps)
    rows = (
        Fulfillment.objects.filter(progress__user=user, progress__template__in=template_ids)
        .select_related("progress")
        .annotate(was_awarded=Exists(BadgeAward.objects.filter(progress=OuterRef("progress"))))
    )
    for row in rows:
        stored[row.progress.template_id][row.requirement_id] = row
        if not row.was_awarded:
            never_awarded.add(row.progress.template_id)
    templates = [ruleset.templates[template_id] for template_id in template_ids]
    return all(
        not any(_news(template, step, stored[template.id]) for step in steps)
        and not (template.id in never_awarded and _is_complete(template, _newer(stored[template.id].values())))
        for template in templates
    )


def apply(held: learners.LockedLearner, steps: Sequence[Step], ruleset: Ruleset) -> list[ProgressChange]:
    """Set and reset the learner's fulfillments and return what changed, by template.

    The caller holds the learner and gives the steps oldest first. Each fulfillment is stamped with the event; one
    whose stamp is newer stays. A penalty leaves its stamp on requirements that were never fulfilled, too.
    """
    user, template_ids = held.user, _touched_templates(steps)
    known: list[BadgeProgress] = []
    if not held.is_new:
        known = list(BadgeProgress.objects.filter(user=user, template__in=template_ids).order_by("pk"))
    stored: dict[int, dict[int, Fulfillment]] = defaultdict(dict)
    if known:
        for row in Fulfillment.objects.filter(progress__in=known):
            stored[row.progress_id][row.requirement_id] = row
    new = _start(user, template_ids - {progress.template_id for progress in known})
    changes = []
    touched: list[Fulfillment] = []
    for progress in [*known, *new]:
        template = ruleset.templates[progress.template_id]
        # What follows needs both, and would ask the database for them again.
        progress.user, progress.template = user, template.row
        change, rows = _apply_to(progress, template, steps, stored[progress.pk], is_first=progress in new)
        changes.append(change)
        touched.extend(rows)
    _save(touched)
    return changes


def stored(progresses: Sequence[BadgeProgress], ruleset: Ruleset) -> list[ProgressChange]:
    """Return how learners stand, without any event, on templates of the ruleset. One query."""
    rows: dict[int, dict[int, Fulfillment]] = defaultdict(dict)
    for row in Fulfillment.objects.filter(progress__in=progresses) if progresses else ():
        rows[row.progress_id][row.requirement_id] = row
    return [
        ProgressChange(
            progress,
            ruleset.templates[progress.template_id],
            rows[progress.pk],
            is_first=False,
            stayed_complete=True,
            reset_by=None,
        )
        for progress in progresses
    ]


def _touched_templates(steps: Iterable[Step]) -> frozenset[int]:
    return frozenset().union(*(step.match.template_ids for step in steps))


def _apply_to(
    progress: BadgeProgress,
    template: CompiledTemplate,
    steps: Sequence[Step],
    stored: dict[int, Fulfillment],
    *,
    is_first: bool,
) -> tuple[ProgressChange, list[Fulfillment]]:
    """Return what changed and the rows that must be saved."""
    # What the learner has lost is asked of all that was fulfilled, under whatever rules: a change of the rules takes
    # nothing away, and gives nothing back.
    stayed_complete = template.is_complete(_fulfilled(stored.values()))
    reset_by: BadgingEvent | None = None
    touched: dict[int, Fulfillment] = {}
    for step in steps:
        event, lost = step.event, set()
        for requirement_id, is_fulfilled in _news(template, step, stored).items():
            row = stored.get(requirement_id)
            if row is None:
                row = stored[requirement_id] = Fulfillment(progress=progress, requirement_id=requirement_id)
            elif row.is_fulfilled and not is_fulfilled and row.stamp < event.stamp:
                lost.add(requirement_id)
            row.note(event, is_fulfilled=is_fulfilled, is_renewal=row.is_fulfilled and not template.counts(row))
            row.made_under = template.validity(requirement_id).current if is_fulfilled else ""
            touched[requirement_id] = row
        protecting = frozenset(row.requirement_id for row in stored.values() if template.protects(row))
        if any(group & lost and not group & protecting for group in template.groups):
            reset_by = event
        stayed_complete = stayed_complete and template.is_complete(_fulfilled(stored.values()))
    change = ProgressChange(progress, template, stored, is_first, stayed_complete, reset_by)
    return change, list(touched.values())


def _news(template: CompiledTemplate, step: Step, stored: Mapping[int, Fulfillment]) -> dict[int, bool]:
    """Return the outcomes of an event that are news."""
    return {
        requirement_id: is_fulfilled
        for requirement_id, is_fulfilled in step.match.outcomes(template.id).items()
        if _is_news(template, stored.get(requirement_id), step.event.stamp)
    }


def _is_news(template: CompiledTemplate, row: Fulfillment | None, stamp: EventStamp) -> bool:
    """Whether an event says more than what is stored.

    A fulfillment that does not count says nothing about the rules of today, whenever it was made: events that were
    before it say what they would have said without it, as in a replay of all of them.
    """
    return row is None or (row.is_fulfilled and not template.counts(row)) or row.stamp < stamp


def _start(user: User, template_ids: frozenset[int]) -> list[BadgeProgress]:
    """Begin progress. Nobody else does so meanwhile: the learner is held."""
    if len(template_ids) == 1:  # one statement everywhere
        return [BadgeProgress.objects.create(user=user, template_id=pk) for pk in template_ids]
    new = BadgeProgress.objects.bulk_create(BadgeProgress(user=user, template_id=pk) for pk in sorted(template_ids))
    if new and not connection.features.can_return_rows_from_bulk_insert:  # MySQL
        return list(BadgeProgress.objects.filter(user=user, template__in=template_ids))
    return new


def _save(rows: Sequence[Fulfillment]) -> None:
    new = [row for row in rows if not row.pk]
    known = [row for row in rows if row.pk]
    Fulfillment.objects.bulk_create(new)
    changed = ["is_fulfilled", "made_under", "event_id", "event_type", "event_time", "since"]
    Fulfillment.objects.bulk_update(known, changed)


def _is_complete(template: CompiledTemplate, rows: Iterable[Fulfillment]) -> bool:
    return template.is_complete(frozenset(row.requirement_id for row in rows if template.counts(row)))


def _newer(rows: Iterable[Fulfillment]) -> list[Fulfillment]:
    """Return those that no award that expired has used up."""
    return [row for row in rows if row.progress.counts_from is None or row.event_time > row.progress.counts_from]


def _fulfilled(rows: Iterable[Fulfillment]) -> frozenset[int]:
    return frozenset(row.requirement_id for row in rows if row.is_fulfilled)
