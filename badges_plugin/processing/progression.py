"""Fulfillments: what an event sets and resets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS

from badges_plugin import bulk, fulfillment_rows, instances
from badges_plugin.criteria import Standing
from badges_plugin.data import BadgingEvent
from badges_plugin.fulfillment_rows import FulfillmentRow
from badges_plugin.host import User
from badges_plugin.models import BadgeProgress, BadgeTemplate
from badges_plugin.processing.locking import LockedLearner
from badges_plugin.processing.registers import Registers, Step
from badges_plugin.questions import Question
from badges_plugin.ruleset import CompiledTemplate, Ruleset

Place = tuple[int, int]
"""The primary keys of a user and a template."""


class LastAward(NamedTuple):
    """The last award of a progress, as far as most events need it."""

    pk: int
    is_held: bool


@dataclass(frozen=True)
class ProgressChange:
    """What one event, or a history of them, did to one learner's progress on one template."""

    progress: BadgeProgress
    template: CompiledTemplate
    registers: Sequence[FulfillmentRow]
    """The state now."""
    stayed_complete: bool
    """Whether it was complete before and all the way: what was never incomplete is not earned anew."""
    reset_by: BadgingEvent | None
    """The last event that broke the badge: it took away something without which a group is not fulfilled any more, or
    not in its turn. What was forgotten does not protect a group."""
    last: LastAward | None = None
    """The last award, where ``apply`` has read it."""
    _standings: dict[datetime | None, Standing] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def is_settled(self) -> bool:
        """Whether nothing can follow from it: the badge is held, and nothing was taken away."""
        return self.last is not None and self.last.is_held and self.reset_by is None

    @cached_property
    def is_complete(self) -> bool:
        criteria, counts_from = self.template.criteria, self.progress.counts_from
        if len(criteria.groups) > 1 and not criteria.is_complete(self.registers, counts_from=counts_from):
            return False  # without looking at more than is needed
        return self._standing(counts_from).is_complete

    def completed_since(self, counts_from: datetime | None) -> datetime | None:
        """Return when it became complete by what is newer than a moment; None when that is not enough.

        By the times of events and not of their arrival.
        """
        return self._standing(counts_from).completed_at

    def made_by(self, counts_from: datetime | None) -> list[FulfillmentRow]:
        """Return the fulfillments that count, and are newer than a moment, in the order of their events."""
        counting = {id(register) for register in self._standing(counts_from).registers}
        # In the order of the requirements where the times are the same.
        return sorted((row for row in self.registers if id(row) in counting), key=lambda row: row.stamp)

    def _standing(self, counts_from: datetime | None) -> Standing:
        # An award asks three times for the same one.
        if counts_from not in self._standings:
            self._standings[counts_from] = self.template.criteria.standing(self.registers, counts_from=counts_from)
        return self._standings[counts_from]


def touched(of_learners: Iterable[Sequence[Step]]) -> frozenset[int]:
    """Return the primary keys of the templates that learners' steps are about."""
    return frozenset().union(*[step.match.template_ids for steps in of_learners for step in steps])


def apply(held: Sequence[tuple[LockedLearner, Sequence[Step]]], ruleset: Ruleset) -> list[list[ProgressChange]]:
    """Set and reset learners' fulfillments and return what changed, by template, for each learner.

    The caller has locked the learners, who are different ones, and gives the steps of each oldest first. Each
    fulfillment is stamped with the event; one whose stamp is newer stays. A penalty leaves its stamp on requirements
    that were never fulfilled, too. The number of statements does not depend on the number of learners.
    """
    places = [[(learner.user.pk, pk) for pk in sorted(touched([steps]))] for learner, steps in held]
    dealt_with = [mine for (learner, _), mine in zip(held, places, strict=True) if not learner.is_new]
    known = _known_progress(list(chain.from_iterable(dealt_with)))
    rows_of = fulfillment_rows.of_progresses([progress.pk for progress, _ in known.values()])
    new = _start(sorted({*chain.from_iterable(places)} - known.keys()))
    saved: list[FulfillmentRow] = []
    deleted: list[int] = []
    changes: list[list[ProgressChange]] = []
    for (learner, steps), mine in zip(held, places, strict=True):
        of_learner = []
        for place in mine:
            template = ruleset.templates[place[1]]
            progress, last = known.get(place) or (new[place], None)
            # What follows needs both, and would ask the database for them again.
            instances.relate([progress], "user", [learner.user])
            instances.relate([progress], "template", [template.row])
            registers = Registers(template, rows_of[progress.pk], counts_from=progress.counts_from)
            is_asked = last is None or not last.is_held
            stayed_complete, reset_by = registers.take_all(steps, is_asked=is_asked)
            of_learner.append(ProgressChange(progress, template, registers.rows, stayed_complete, reset_by, last))
            rows, keys = registers.settle()
            for row in rows:
                row.progress_id = progress.pk
            saved.extend(rows)
            deleted.extend(keys)
        changes.append(of_learner)
    fulfillment_rows.save(saved, deleted)
    return changes


def stored(progresses: Sequence[BadgeProgress], ruleset: Ruleset) -> list[ProgressChange]:
    """Return how learners stand, without any event, on templates of the ruleset. One query."""
    rows_of = fulfillment_rows.of_progresses([progress.pk for progress in progresses])
    return [
        ProgressChange(
            progress,
            ruleset.templates[progress.template_id],
            rows_of[progress.pk],
            stayed_complete=True,
            reset_by=None,
        )
        for progress in progresses
    ]


def begun(template: BadgeTemplate, users: Sequence[User]) -> list[BadgeProgress]:
    """Return the progress of learners, who are locked, on a template; it begins now where there is none."""
    places = [(user.pk, template.pk) for user in users]
    known = _known_progress(places)
    progress_of = _start([place for place in places if place not in known])
    progress_of |= {place: progress for place, (progress, _) in known.items()}
    progresses = [progress_of[place] for place in places]
    instances.relate(progresses, "user", users)
    instances.relate(progresses, "template", [template] * len(users))
    return progresses


_PROGRESS_COLUMNS = tuple(field.attname for field in BadgeProgress._meta.concrete_fields)
_PROGRESSES = Question(
    lambda users, templates: BadgeProgress.objects.filter(user__in=users, template__in=templates).values_list(
        *_PROGRESS_COLUMNS, "awards__number", "awards__pk", "awards__revoked_at"
    )
)


def _known_progress(places: Collection[Place]) -> dict[Place, tuple[BadgeProgress, LastAward | None]]:
    """Return the progress that is there at these places, and its last award. One query, none without places."""
    if not places:
        return {}
    rows = _PROGRESSES.ask({user_id for user_id, _ in places}, {template_id for _, template_id in places})
    found: dict[Place, tuple[BadgeProgress, LastAward | None]] = {}
    # A row for each award, the newest last, or one without an award.
    for *values, number, award_id, revoked_at in sorted(rows, key=_number_of_award):
        progress = BadgeProgress.from_db(DEFAULT_DB_ALIAS, _PROGRESS_COLUMNS, values)
        last = None if number is None else LastAward(award_id, revoked_at is None)
        found[progress.user_id, progress.template_id] = progress, last
    # Others of the batch may be about more templates.
    return {place: found[place] for place in places if place in found}


def _number_of_award(values: Sequence[Any]) -> int:
    number: int | None = values[len(_PROGRESS_COLUMNS)]
    return number or 0


def _start(places: Sequence[Place]) -> dict[Place, BadgeProgress]:
    """Begin progress. Nobody else does so meanwhile: the learners are locked."""
    columns = {"user_id": [user_id for user_id, _ in places], "template_id": [template_id for _, template_id in places]}
    new = instances.make(BadgeProgress, len(places), columns)
    bulk.insert(new, by=["user_id", "template_id"])
    return dict(zip(places, new, strict=True))
