"""Fulfillments: what an event sets and resets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS
from django.db.models import OuterRef, Subquery

from badges_plugin import bulk, fulfillment_rows
from badges_plugin.criteria import FLOOR, Standing
from badges_plugin.data import BadgingEvent
from badges_plugin.fulfillment_rows import COLUMNS, FulfillmentRow
from badges_plugin.host import User
from badges_plugin.models import BadgeAward, BadgeProgress, BadgeTemplate, Ending, Fulfillment
from badges_plugin.processing.found_users import FoundUser
from badges_plugin.processing.locking import LockedLearner
from badges_plugin.processing.registers import Registers, Step
from badges_plugin.questions import Question
from badges_plugin.ruleset import BADGE_EVENT_PREFIX, CompiledTemplate, Ruleset

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


_LAST_ENDED_BY = Subquery(
    BadgeAward.objects.filter(progress=OuterRef("progress")).order_by("-number").values("ended_by")[:1]
)
"""How the last award of a progress ended: None where there was none, empty while it is held."""


def touched(of_learners: Iterable[Sequence[Step]]) -> frozenset[int]:
    """Return the primary keys of the templates that learners' steps are about."""
    return frozenset().union(*[step.match.template_ids for steps in of_learners for step in steps])


_STORED = Question(
    lambda users, templates: (
        Fulfillment.objects.filter(progress__user__in=users, progress__template__in=templates)
        .annotate(last_ended_by=_LAST_ENDED_BY)
        .values_list("progress__user", "progress__template", "progress__counts_from", *COLUMNS, "last_ended_by")
    )
)

_Values = tuple[Any, ...]
"""What ``_STORED`` returns of a fulfillment. Most say at once what they say, before anything is made of them."""

_ROW = slice(3, -1)
_REQUIREMENT, _VALUE_KEY, _IS_FULFILLED, _EVENT_ID, _EVENT_TIME, _MADE_UNDER, _RESET_TIME, _TIMES, _SINCE = (
    _ROW.start + COLUMNS.index(name)
    for name in (
        "requirement_id", "value_key", "is_fulfilled", "event_id", "event_time", "made_under", "reset_time", "times",
        "since",
    )
)  # fmt: skip


def applied(known: Sequence[tuple[FoundUser, Sequence[Step]]], ruleset: Ruleset) -> list[bool]:
    """Return for each learner whether their events can change nothing any more. One query, no lock.

    The learners are different ones. Nothing is asked about those of whom only older events are known.
    Stamps only ever grow while the rules stay, so an answer of True stays true. A progress that is complete and was
    never awarded (its configuration was changed since), or whose award expired (while the template was inactive), is
    not finished: the repeated event will award it. Nor is a fulfillment that does not count under the rules of today:
    the repeated event will renew it.
    """
    asked = {user.pk: steps for user, steps in known if not _is_newer_than_known(user, steps)}
    if not asked:
        return [False] * len(known)
    stored: dict[Place, list[_Values]] = defaultdict(list)
    for values in _STORED.ask(asked, touched(asked.values())):
        stored[values[0], values[1]].append(values)
    return [user.pk in asked and _is_all_applied(user.pk, steps, ruleset, stored) for user, steps in known]


def _is_newer_than_known(user: FoundUser, steps: Sequence[Step]) -> bool:
    """Whether only older events were applied, as far as they told the user's profile, which the last step does, too.

    Events about badges do not tell it when they are heard inside this service, but tell it on the bus.
    """
    if user.profile_time is None:
        return True
    newest = steps[-1].event
    tells_profile = newest.learner.has_profile and not newest.type.startswith(BADGE_EVENT_PREFIX)
    return tells_profile and newest.stamp.time > user.profile_time


def _is_all_applied(
    user_id: int, steps: Sequence[Step], ruleset: Ruleset, stored: Mapping[Place, Sequence[_Values]]
) -> bool:
    for pk in touched([steps]):
        rows = stored.get((user_id, pk), ())
        if not rows or _is_plainly_news(pk, steps, rows):
            return False
        template = ruleset.templates[pk]
        if not (_is_plainly_repeated(template, steps, rows) or _is_applied(template, steps, rows)):
            return False
    return True


def _is_unfinished(rows: Sequence[_Values]) -> bool:
    """Whether the badge was never awarded, or its last award has expired or was undone."""
    return rows[0][-1] in (None, Ending.EXPIRED, Ending.UNDONE)


def _is_plainly_news(template_id: int, steps: Sequence[Step], rows: Sequence[_Values]) -> bool:
    """Whether the last step fulfills again what older events fulfilled, and nothing newer is there: the usual case."""
    outcomes, time = steps[-1].match.outcomes(template_id), steps[-1].event.stamp.time
    told = [row for row in rows if outcomes.get(row[_REQUIREMENT])]
    return bool(told) and all(row[_IS_FULFILLED] and row[_EVENT_TIME] < time for row in told)


def _is_plainly_repeated(template: CompiledTemplate, steps: Sequence[Step], rows: Sequence[_Values]) -> bool:
    """Whether all there is of the step's requirements is this one event, under the rules of today, never reset."""
    if len(steps) > 1 or template.criteria.in_order or _is_unfinished(rows):
        return False
    stamp = steps[0].event.stamp
    of_requirement = {row[_REQUIREMENT]: row for row in rows}
    for requirement_id, is_fulfilled in steps[0].match.outcomes(template.id).items():
        row, criterion = of_requirement.get(requirement_id), template.criteria.by_id[requirement_id]
        is_repeated = (
            row is not None
            and len(of_requirement) == len(rows)
            and is_fulfilled
            and row[_IS_FULFILLED]
            and row[_EVENT_TIME] == stamp.time
            and row[_EVENT_ID] == stamp.id
            and row[_VALUE_KEY] == FLOOR
            and criterion.is_one
            and criterion.rules.covers(row[_MADE_UNDER])
            and row[_RESET_TIME] is None
            and not row[_TIMES]
            and (row[_SINCE] is None or row[_SINCE] <= stamp.time)
        )
        if not is_repeated:
            return False
    return True


def _is_applied(template: CompiledTemplate, steps: Sequence[Step], stored: Sequence[_Values]) -> bool:
    rows = [FulfillmentRow(*values[_ROW]) for values in stored]
    if _is_unfinished(stored) and template.criteria.is_complete(rows, counts_from=stored[0][2]):
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
            bulk.relate([progress], "user", [learner.user])
            bulk.relate([progress], "template", [template.row])
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
    bulk.relate(progresses, "user", users)
    bulk.relate(progresses, "template", [template] * len(users))
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


def _number_of_award(values: _Values) -> int:
    number: int | None = values[len(_PROGRESS_COLUMNS)]
    return number or 0


def _start(places: Sequence[Place]) -> dict[Place, BadgeProgress]:
    """Begin progress. Nobody else does so meanwhile: the learners are locked."""
    columns = {"user_id": [user_id for user_id, _ in places], "template_id": [template_id for _, template_id in places]}
    new = bulk.instances(BadgeProgress, len(places), columns)
    bulk.insert(new, by=["user_id", "template_id"])
    return dict(zip(places, new, strict=True))
