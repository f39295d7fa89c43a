"""Fulfillments: what an event sets and resets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import OuterRef, Subquery

from badges_plugin import bulk
from badges_plugin.criteria import Standing
from badges_plugin.data import BadgingEvent
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress, Ending, Fulfillment
from badges_plugin.processing import learners
from badges_plugin.processing.locking import LockedLearner
from badges_plugin.processing.registers import Registers, Step
from badges_plugin.ruleset import CompiledTemplate, Ruleset

Place = tuple[int, int]
"""The primary keys of a user and a template."""


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


def touched(of_learners: Iterable[Sequence[Step]]) -> frozenset[int]:
    """Return the primary keys of the templates that learners' steps are about."""
    return frozenset().union(*(step.match.template_ids for steps in of_learners for step in steps))


def applied(known: Sequence[tuple[User, Sequence[Step]]], ruleset: Ruleset) -> list[bool]:
    """Return for each learner whether their events can change nothing any more. One query, no lock.

    The learners are different ones.
    Stamps only ever grow while the rules stay, so an answer of True stays true. A progress that is complete and was
    never awarded (its configuration was changed since), or whose award expired (while the template was inactive), is
    not finished: the repeated event will award it. Nor is a fulfillment that does not count under the rules of today:
    the repeated event will renew it.
    """
    dealt_with = [user.pk for user, _ in known if learners.is_known(user)]
    if not dealt_with:
        return [False] * len(known)
    stored: dict[Place, list[_Values]] = defaultdict(list)
    unfinished: dict[Place, datetime | None] = {}
    rows = (
        Fulfillment.objects.filter(
            progress__user__in=dealt_with, progress__template__in=touched(steps for _, steps in known)
        )
        .annotate(last_ended_by=_LAST_ENDED_BY)
        .values_list("progress__user", "progress__template", "progress__counts_from", "last_ended_by", *_COLUMNS)
    )
    for user_id, template_id, counts_from, last_ended_by, *values in rows:
        stored[user_id, template_id].append(values)
        if last_ended_by in (None, Ending.EXPIRED):
            unfinished[user_id, template_id] = counts_from
    return [
        learners.is_known(user)
        and not any(_is_plainly_news(pk, steps, stored[user.pk, pk]) for pk in touched([steps]))
        and all(_is_applied(ruleset.templates[pk], steps, (user.pk, pk), stored, unfinished) for pk in touched([steps]))
        for user, steps in known
    ]


_Values = list[Any]
"""A fulfillment's ``_COLUMNS``. Most of them need no model instance, which takes longer to make than to read."""

_COLUMNS = tuple(field.attname for field in Fulfillment._meta.concrete_fields)
_REQUIREMENT, _IS_FULFILLED, _EVENT_TIME = map(_COLUMNS.index, ("requirement_id", "is_fulfilled", "event_time"))


def _is_plainly_news(template_id: int, steps: Sequence[Step], rows: Sequence[_Values]) -> bool:
    """Whether the last step fulfills again what older events fulfilled, and nothing newer is there: the usual case."""
    outcomes, time = steps[-1].match.outcomes(template_id), steps[-1].event.stamp.time
    told = [row for row in rows if outcomes.get(row[_REQUIREMENT])]
    return bool(told) and all(row[_IS_FULFILLED] and row[_EVENT_TIME] < time for row in told)


def _is_applied(
    template: CompiledTemplate,
    steps: Sequence[Step],
    place: Place,
    stored: Mapping[Place, Sequence[_Values]],
    unfinished: Mapping[Place, datetime | None],
) -> bool:
    rows = [Fulfillment.from_db(DEFAULT_DB_ALIAS, _COLUMNS, values) for values in stored[place]]
    if place in unfinished and template.criteria.is_complete(rows, counts_from=unfinished[place]):
        return False
    registers = Registers(template, rows)
    for step in steps:
        registers.take(step)
    return not any(registers.settle())


def apply(held: Sequence[tuple[LockedLearner, Sequence[Step]]], ruleset: Ruleset) -> list[list[ProgressChange]]:
    """Set and reset learners' fulfillments and return what changed, by template, for each learner.

    The caller has locked the learners, who are different ones, and gives the steps of each oldest first. Each
    fulfillment is stamped with the event; one whose stamp is newer stays. A penalty leaves its stamp on requirements
    that were never fulfilled, too. The number of statements does not depend on the number of learners.
    """
    known = _known_progress(held)
    rows_of = _fulfillments([progress.pk for progress in known.values()])
    new = _start(held, known)
    saved: list[Fulfillment] = []
    deleted: list[int] = []
    changes: list[list[ProgressChange]] = []
    for learner, steps in held:
        of_learner = []
        for template_id in sorted(touched([steps])):
            place = learner.user.pk, template_id
            template, progress = ruleset.templates[template_id], known.get(place) or new[place]
            # What follows needs both, and would ask the database for them again.
            progress.user, progress.template = learner.user, template.row
            registers = Registers(template, rows_of[progress.pk], counts_from=progress.counts_from)
            stayed_complete, reset_by = registers.take_all(steps)
            of_learner.append(
                ProgressChange(progress, template, registers.rows, place in new, stayed_complete, reset_by)
            )
            rows, keys = registers.settle()
            for row in rows:
                row.progress = progress
            saved.extend(rows)
            deleted.extend(keys)
        changes.append(of_learner)
    _save(saved, deleted)
    return changes


def stored(progresses: Sequence[BadgeProgress], ruleset: Ruleset) -> list[ProgressChange]:
    """Return how learners stand, without any event, on templates of the ruleset. One query."""
    rows_of = _fulfillments([progress.pk for progress in progresses])
    return [
        ProgressChange(
            progress,
            ruleset.templates[progress.template_id],
            rows_of[progress.pk],
            is_first=False,
            stayed_complete=True,
            reset_by=None,
        )
        for progress in progresses
    ]


def _fulfillments(progress_ids: Collection[int]) -> dict[int, list[Fulfillment]]:
    """Return the fulfillments of each progress, and an empty list for any other. One query, none without progress."""
    found: dict[int, list[Fulfillment]] = defaultdict(list)
    for row in Fulfillment.objects.filter(progress__in=progress_ids) if progress_ids else ():
        found[row.progress_id].append(row)
    return found


def _known_progress(held: Sequence[tuple[LockedLearner, Sequence[Step]]]) -> dict[Place, BadgeProgress]:
    """Return the progress that learners have on the templates of their steps. No query for new learners."""
    known = [(learner.user.pk, steps) for learner, steps in held if not learner.is_new]
    if not known:
        return {}
    template_ids = touched(steps for _, steps in known)
    rows = BadgeProgress.objects.filter(user__in=[pk for pk, _ in known], template__in=template_ids)
    found = {(row.user_id, row.template_id): row for row in rows}
    # Others of the batch may be about more templates.
    return {place: found[place] for pk, steps in known for id_ in touched([steps]) if (place := (pk, id_)) in found}


def _start(
    held: Sequence[tuple[LockedLearner, Sequence[Step]]], known: Mapping[Place, BadgeProgress]
) -> dict[Place, BadgeProgress]:
    """Begin progress. Nobody else does so meanwhile: the learners are locked."""
    places = {(learner.user.pk, template_id) for learner, steps in held for template_id in touched([steps])}
    new = {place: BadgeProgress(user_id=place[0], template_id=place[1]) for place in sorted(places - known.keys())}
    bulk.insert(list(new.values()), by=["user_id", "template_id"])
    return new


def _save(rows: Sequence[Fulfillment], deleted: Sequence[int]) -> None:
    new = [row for row in rows if not row.pk]
    known = [row for row in rows if row.pk]
    if deleted:
        Fulfillment.objects.filter(pk__in=deleted).delete()
    bulk.insert_rows(sorted(new, key=lambda row: (row.progress_id, row.requirement_id, row.value_key)))
    bulk.insert_or_update(sorted(known, key=lambda row: row.pk), _CHANGED)


_CHANGED = [
    "is_fulfilled", "made_under", "event_id", "event_type", "event_time", "since", "reset_time", "reset_id", "times",
    "grade",
]  # fmt: skip
