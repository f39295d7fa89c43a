"""Fulfillments: what an event sets and resets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from django.db import connection
from django.db.models import OuterRef, Subquery

from badges_plugin.criteria import Standing
from badges_plugin.data import BadgingEvent
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress, Ending, Fulfillment
from badges_plugin.processing import learners
from badges_plugin.processing.registers import Registers, Step
from badges_plugin.ruleset import CompiledTemplate, Ruleset


@dataclass(frozen=True)
class ProgressChange:
    """What one event, or a history of them, did to one learner's progress on one template."""

    progress: BadgeProgress
    template: CompiledTemplate
    registers: Sequence[Fulfillment]
    """The state now."""
    is_first: bool
    """Whether the learner had no progress on this template before."""
    stayed_complete: bool
    """Whether it was complete before and all the way: what was never incomplete is not earned anew."""
    reset_by: BadgingEvent | None
    """The last event that broke the badge: it took away something without which a group is not fulfilled any more, or
    not in its turn. What was forgotten does not protect a group."""
    _standings: dict[datetime | None, Standing] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def is_complete(self) -> bool:
        return self.template.criteria.is_complete(self.registers, counts_from=self.progress.counts_from)

    def completed_since(self, counts_from: datetime | None) -> datetime | None:
        """Return when it became complete by what is newer than a moment; None when that is not enough.

        By the times of events and not of their arrival.
        """
        return self._standing(counts_from).completed_at

    def made_by(self, counts_from: datetime | None) -> list[Fulfillment]:
        """Return the fulfillments that count, and are newer than a moment, in the order of their events."""
        counting = {id(register) for register in self._standing(counts_from).registers}
        return sorted((row for row in self.registers if id(row) in counting), key=lambda row: row.stamp)

    def _standing(self, counts_from: datetime | None) -> Standing:
        # An award asks twice for the same one.
        if counts_from not in self._standings:
            self._standings[counts_from] = self.template.criteria.standing(self.registers, counts_from=counts_from)
        return self._standings[counts_from]


_LAST_ENDED_BY = Subquery(
    BadgeAward.objects.filter(progress=OuterRef("progress")).order_by("-number").values("ended_by")[:1]
)
"""How the last award of a progress ended: None where there was none, empty while it is held."""


def is_applied(user: User, steps: Sequence[Step], ruleset: Ruleset) -> bool:
    """Whether the events can change nothing any more. One query, no lock.

    Stamps only ever grow while the rules stay, so an answer of True stays true. A progress that is complete and was
    never awarded (its configuration was changed since), or whose award expired (while the template was inactive), is
    not finished: the repeated event will award it. Nor is a fulfillment that does not count under the rules of today:
    the repeated event will renew it.
    """
    if not learners.is_known(user):
        return False
    stored: dict[int, list[Fulfillment]] = defaultdict(list)
    unfinished: dict[int, BadgeProgress] = {}
    template_ids = _touched_templates(steps)
    rows = (
        Fulfillment.objects.filter(progress__user=user, progress__template__in=template_ids)
        .select_related("progress")
        .annotate(last_ended_by=_LAST_ENDED_BY)
    )
    for row in rows:
        stored[row.progress.template_id].append(row)
        if row.last_ended_by in (None, Ending.EXPIRED):
            unfinished[row.progress.template_id] = row.progress
    for template_id in template_ids:
        template, progress = ruleset.templates[template_id], unfinished.get(template_id)
        registers = Registers(template, stored[template_id])
        if progress is not None and template.criteria.is_complete(registers.rows, counts_from=progress.counts_from):
            return False
        for step in steps:
            registers.take(step)
        if any(registers.settle()):
            return False
    return True


def apply(held: learners.LockedLearner, steps: Sequence[Step], ruleset: Ruleset) -> list[ProgressChange]:
    """Set and reset the learner's fulfillments and return what changed, by template.

    The caller holds the learner and gives the steps oldest first. Each fulfillment is stamped with the event; one
    whose stamp is newer stays. A penalty leaves its stamp on requirements that were never fulfilled, too.
    """
    user, template_ids = held.user, _touched_templates(steps)
    known: list[BadgeProgress] = []
    if not held.is_new:
        known = list(BadgeProgress.objects.filter(user=user, template__in=template_ids).order_by("pk"))
    stored: dict[int, list[Fulfillment]] = defaultdict(list)
    if known:
        for row in Fulfillment.objects.filter(progress__in=known):
            stored[row.progress_id].append(row)
    new = _start(user, template_ids - {progress.template_id for progress in known})
    changes: list[ProgressChange] = []
    saved: list[Fulfillment] = []
    deleted: list[int] = []
    for progress in [*known, *new]:
        template = ruleset.templates[progress.template_id]
        # What follows needs both, and would ask the database for them again.
        progress.user, progress.template = user, template.row
        registers = Registers(template, stored[progress.pk], counts_from=progress.counts_from)
        stayed_complete, reset_by = registers.take_all(steps)
        change = ProgressChange(progress, template, registers.rows, progress in new, stayed_complete, reset_by)
        changes.append(change)
        rows, keys = registers.settle()
        for row in rows:
            row.progress = progress
        saved += rows
        deleted += keys
    _save(saved, deleted)
    return changes


def stored(progresses: Sequence[BadgeProgress], ruleset: Ruleset) -> list[ProgressChange]:
    """Return how learners stand, without any event, on templates of the ruleset. One query."""
    rows: dict[int, list[Fulfillment]] = defaultdict(list)
    for row in Fulfillment.objects.filter(progress__in=progresses) if progresses else ():
        rows[row.progress_id].append(row)
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


def _start(user: User, template_ids: frozenset[int]) -> list[BadgeProgress]:
    """Begin progress. Nobody else does so meanwhile: the learner is held."""
    if len(template_ids) == 1:  # one statement everywhere
        return [BadgeProgress.objects.create(user=user, template_id=pk) for pk in template_ids]
    new = BadgeProgress.objects.bulk_create(BadgeProgress(user=user, template_id=pk) for pk in sorted(template_ids))
    if new and not connection.features.can_return_rows_from_bulk_insert:  # MySQL
        return list(BadgeProgress.objects.filter(user=user, template__in=template_ids))
    return new


def _save(rows: Sequence[Fulfillment], deleted: Sequence[int]) -> None:
    new = [row for row in rows if not row.pk]
    known = [row for row in rows if row.pk]
    if deleted:
        Fulfillment.objects.filter(pk__in=deleted).delete()
    Fulfillment.objects.bulk_create(new)
    Fulfillment.objects.bulk_update(known, _CHANGED)


_CHANGED = [
    "is_fulfilled", "made_under", "event_id", "event_type", "event_time", "since", "reset_time", "reset_id", "times",
]  # fmt: skip
