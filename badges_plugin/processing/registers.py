"""What a learner did for one badge, in memory: takes in events, and knows which rows must be saved or deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from badges_plugin.criteria import FLOOR, MAX_VALUES, Criterion, Measure, floor_of, stamp_of
from badges_plugin.data import BadgingEvent, EventStamp, resolve
from badges_plugin.fulfillment_rows import FulfillmentRow
from badges_plugin.matching import Match
from badges_plugin.models.fulfillments import MAX_VALUE_LENGTH
from badges_plugin.rules import as_counted
from badges_plugin.ruleset import CompiledTemplate


@dataclass(frozen=True)
class Step:
    """An event and what it means."""

    event: BadgingEvent
    match: Match


class Registers:
    """The fulfillments of one learner and template. They end alike, whatever the order of the events.

    Only the time since which one holds can be too late: after a late penalty, until the events since then are replayed.
    """

    def __init__(
        self, template: CompiledTemplate, rows: Iterable[FulfillmentRow], *, counts_from: datetime | None = None
    ) -> None:
        self._template = template
        self._counts_from = counts_from
        self._rows: dict[int, dict[str, FulfillmentRow]] = defaultdict(dict)
        for row in rows:
            self._rows[row.requirement_id][row.value_key] = row
        self._changed: set[tuple[int, str]] = set()
        self._void_keys: list[int] = []

    @property
    def rows(self) -> list[FulfillmentRow]:
        return [row for rows in self._rows.values() for row in rows.values()]

    def take_all(self, steps: Iterable[Step], *, is_asked: bool = True) -> tuple[bool, BadgingEvent | None]:
        """Take in events, oldest first.

        Returns whether the badge was complete before and all the way, and the last event that broke it: it took away
        something without which a group is not fulfilled any more, or not in its turn. Without ``is_asked`` nobody needs
        the former, and it is False.
        """
        criteria, counts_from = self._template.criteria, self._counts_from

        def is_complete(measure: Measure) -> bool:
            return criteria.is_complete(self.rows, counts_from=counts_from, measure=measure)

        # What the learner has lost is asked of all that was fulfilled, under whatever rules: a change of the rules
        # takes nothing away, and gives nothing back.
        stayed_complete = is_asked and any(self._rows.values()) and is_complete(Measure.ANY)
        reset_by: BadgingEvent | None = None
        for step in steps:
            # Only a penalty makes incomplete what was complete.
            is_penalty = self._template.id in step.match.penalized
            was_complete = is_penalty and is_complete(Measure.PROTECTING)
            lost = self.take(step)
            if not is_penalty:
                continue
            is_broken = bool(criteria.broken_groups(self.rows, lost, counts_from=counts_from))
            if is_broken or (was_complete and not is_complete(Measure.PROTECTING)):
                reset_by = step.event
            stayed_complete = stayed_complete and is_complete(Measure.ANY)
        return stayed_complete, reset_by

    def take(self, step: Step) -> frozenset[int]:
        """Take in what an event means for the template. Returns the requirements that lost something by it."""
        lost = set()
        for requirement_id, is_fulfilled in step.match.outcomes(self._template.id).items():
            criterion = self._template.criteria.by_id[requirement_id]
            if is_fulfilled:
                self._fulfill(criterion, step.event)
            elif self._penalize(criterion, step.event):
                lost.add(requirement_id)
        return frozenset(lost)

    def settle(self) -> tuple[list[FulfillmentRow], list[int]]:
        """Return the rows that must be saved, and the primary keys of those that must be deleted.

        Of counted things only the newest are kept. ``rows`` still has all of them: when a badge was complete is
        decided by what happened, not by what is kept.
        """
        dropped = {
            (row.requirement_id, row.value_key): row
            for requirement_id in {requirement_id for requirement_id, _ in self._changed}
            for row in self._superfluous(self._template.criteria.by_id[requirement_id])
        }
        saved = [self._rows[pk][key] for pk, key in self._changed if (pk, key) not in dropped]
        return saved, [*self._void_keys, *(row.pk for row in dropped.values() if row.pk)]

    def _fulfill(self, criterion: Criterion, event: BadgingEvent) -> None:
        key, value = FLOOR, ""
        if criterion.counted_by:
            value = _value(criterion, event) or ""
            key = criterion.way.key_of_value(value)
        elif not criterion.is_one:
            key = criterion.way.key_of_event(event.stamp.id)
        row = self._row(criterion, key, value)
        is_news = row.fulfill(
            event,
            criterion.rules.current,
            floor=floor_of(self._rows[criterion.id].values()),
            is_anew=_is_anew(criterion, row),
            keeps_times=self._template.criteria.in_order,
        )
        if is_news:
            self._keep(row)

    def _penalize(self, criterion: Criterion, event: BadgingEvent) -> bool:
        """Reset the value that a penalty names or, where it names none, everything older. Whether something is lost.

        Of what was counted in another way it is not known whether the penalty means it: it is lost with the value.
        """
        value = _value(criterion, event) if criterion.counted_by else None
        if value is None:
            is_lost = self._reset(self._row(criterion, FLOOR, ""), criterion, event)
            return self._void(criterion, event.stamp) or is_lost
        is_lost = self._reset(self._row(criterion, criterion.way.key_of_value(value), value), criterion, event)
        return self._void(criterion, event.stamp, foreign_only=True) or is_lost

    def _reset(self, row: FulfillmentRow, criterion: Criterion, event: BadgingEvent) -> bool:
        was_held = bool(row.is_fulfilled) and row.stamp < event.stamp
        is_news = row.reset(event, is_forgotten=criterion.rules.is_forgotten(row.made_under))
        if is_news:
            self._keep(row)
        return was_held and is_news

    def _void(self, criterion: Criterion, until: EventStamp, *, foreign_only: bool = False) -> bool:
        """Remove what is not newer; ``foreign_only``: of what was counted in another way. Whether something is lost."""
        is_lost = False
        for key, row in list(self._rows[criterion.id].items()):
            if stamp_of(row) > until or (foreign_only and criterion.way.is_of(row)):
                continue
            if key == FLOOR:
                # Of a time when one event was enough; as a floor it stays.
                if not (foreign_only and row.is_fulfilled):
                    continue
                is_lost = True
                if row.retreat():
                    self._keep(row)
                    continue
            is_lost = is_lost or row.is_fulfilled
            self._remove(row)
        return is_lost

    def _row(self, criterion: Criterion, key: str, value: str) -> FulfillmentRow:
        known = self._rows[criterion.id].get(key)
        if known is not None:
            return known
        shown = value.replace("\0", "")[:MAX_VALUE_LENGTH]
        return FulfillmentRow.blank(criterion.id, key, shown)

    def _keep(self, row: FulfillmentRow) -> None:
        self._rows[row.requirement_id][row.value_key] = row
        self._changed.add((row.requirement_id, row.value_key))

    def _remove(self, row: FulfillmentRow) -> None:
        del self._rows[row.requirement_id][row.value_key]
        self._changed.discard((row.requirement_id, row.value_key))
        if row.pk:
            self._void_keys.append(row.pk)

    def _superfluous(self, criterion: Criterion) -> Iterator[FulfillmentRow]:
        """Yield the rows of a requirement that are not kept: the oldest of those that it counts."""
        if criterion.is_one:
            return
        bound = MAX_VALUES
        if criterion.way.is_each_event and not self._template.criteria.in_order:
            bound = criterion.count
        rows = [row for key, row in self._rows[criterion.id].items() if key != FLOOR]
        if criterion.way.is_each_event:
            rows = [row for row in rows if criterion.is_held(row)]
        yield from sorted(rows, key=stamp_of, reverse=True)[bound:]


def _value(criterion: Criterion, event: BadgingEvent) -> str | None:
    return as_counted(resolve(event, criterion.counted_by))


def _is_anew(criterion: Criterion, row: FulfillmentRow) -> bool:
    """Whether what a row says does not count under the rules of today."""
    return bool(row.is_fulfilled) and not criterion.is_held(row)
