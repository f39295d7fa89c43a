"""What is stored of one counted value of a requirement, as events change it.

Plain objects: of every row that is read or written a model instance would take longer than all that is asked of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from badges_plugin import bulk, updating
from badges_plugin.criteria import bounded, moments_of, reset_of, stamp_of
from badges_plugin.data import BadgingEvent, EventStamp, grade_in
from badges_plugin.models import Fulfillment
from badges_plugin.models.fulfillments import MAX_GRADE_LENGTH
from badges_plugin.questions import Question


class FulfillmentRow:
    """A row of ``Fulfillment``, in the order of its columns. Without a key it is not stored yet.

    A new one is blank, and has neither event nor time, until an event is taken over.
    """

    __slots__ = (
        "event_id",
        "event_time",
        "event_type",
        "grade",
        "is_fulfilled",
        "made_under",
        "pk",
        "progress_id",
        "requirement_id",
        "reset_id",
        "reset_time",
        "since",
        "times",
        "value",
        "value_key",
    )  # fmt: skip

    pk: int | None
    progress_id: int | None
    requirement_id: int
    value_key: str
    value: str
    is_fulfilled: bool
    event_id: UUID
    event_type: str
    event_time: datetime
    made_under: str
    reset_time: datetime | None
    reset_id: UUID | None
    times: list[str]
    grade: str
    since: datetime | None

    def __init__(self, *values: Any) -> None:
        (
            self.pk, self.progress_id, self.requirement_id, self.value_key, self.value, self.is_fulfilled,
            self.event_id, self.event_type, self.event_time, self.made_under, self.reset_time, self.reset_id,
            self.times, self.grade, self.since,
        ) = values  # fmt: skip

    @classmethod
    def blank(cls, requirement_id: int, value_key: str, value: str) -> FulfillmentRow:
        """Return a row of which nothing is known yet."""
        return cls(None, None, requirement_id, value_key, value, False, None, "", None, "", None, None, [], "", None)

    @property
    def stamp(self) -> EventStamp:
        """Return identity and time of the event that was applied last."""
        return stamp_of(self)

    def fulfill(
        self, event: BadgingEvent, made_under: str, *, floor: EventStamp | None, is_anew: bool, keeps_times: bool
    ) -> bool:
        """Take over that an event fulfills it. Returns False when that says nothing new.

        What is older than the newest reset, or than ``floor``, says nothing. ``is_anew``: it is a new row, or what it
        says does not count under the rules of today, whenever it was made.
        """
        resets = [stamp for stamp in (floor, None if self._is_blank else reset_of(self)) if stamp is not None]
        if resets and event.stamp <= max(resets):
            return False
        known = [] if is_anew or not self.is_fulfilled else moments_of(self, floor, None)
        moments = bounded([*known, event.stamp.time])
        times = [moment.isoformat() for moment in moments] if keeps_times else []
        is_newer = not known or event.stamp > self.stamp
        if not (is_newer or moments[0] != self._held_since or (keeps_times and times != self.times)):
            return False
        if resets:
            self.reset_time, self.reset_id = max(resets).time, max(resets).id
        self.is_fulfilled, self.made_under, self.since, self.times = True, made_under, moments[0], times
        if is_newer:
            self._name(event)
        return True

    def reset(self, event: BadgingEvent, *, is_forgotten: bool) -> bool:
        """Take over that a penalty resets it. Returns False when that says nothing new.

        What is newer than the penalty stays, unless staff have forgotten it: they may still decide to keep it.
        """
        last = None if self._is_blank else reset_of(self)
        if last is not None and event.stamp <= last:
            return False
        self.reset_time, self.reset_id = event.stamp.time, event.stamp.id
        if not is_forgotten and self.is_fulfilled and event.stamp < self.stamp:
            # What it says was said again afterwards; of the events in between only some times may be known.
            moments = moments_of(self, None, None)
            self.since = moments[0]
            self.times = [moment.isoformat() for moment in moments] if self.times else []
            return True
        was_reset = not self._is_blank and not self.is_fulfilled
        self.since = self._held_since if was_reset else event.stamp.time
        self.is_fulfilled, self.made_under, self.times = False, "", []
        self._name(event)
        return True

    def retreat(self) -> bool:
        """Say again what the newest reset said. Returns False where there was none."""
        last = reset_of(self)
        if last is None:
            return False
        self.is_fulfilled, self.made_under, self.times, self.since, self.grade = False, "", [], last.time, ""
        self.event_id, self.event_time = last.id, last.time
        return True

    @property
    def _is_blank(self) -> bool:
        """Whether no event was taken over yet."""
        return self.event_time is None

    def _name(self, event: BadgingEvent) -> None:
        self.event_id, self.event_type, self.event_time = event.stamp.id, event.type, event.stamp.time
        self.grade = grade_in(event.payload)[:MAX_GRADE_LENGTH]

    @property
    def _held_since(self) -> datetime:
        return self.since or self.event_time


COLUMNS = tuple(field.attname for field in Fulfillment._meta.concrete_fields)

_CHANGED = [
    "is_fulfilled", "made_under", "event_id", "event_type", "event_time", "since", "reset_time", "reset_id", "times",
    "grade",
]  # fmt: skip

_OF_PROGRESSES = Question(lambda ids: Fulfillment.objects.filter(progress__in=ids).values_list(*COLUMNS))


def of_progresses(progress_ids: Collection[int]) -> dict[int, list[FulfillmentRow]]:
    """Return the fulfillments of each progress, and an empty list for any other. One query, none without progress."""
    found: dict[int, list[FulfillmentRow]] = defaultdict(list)
    for values in _OF_PROGRESSES.ask(progress_ids) if progress_ids else ():
        found[values[1]].append(FulfillmentRow(*values))
    return found


def save(rows: Sequence[FulfillmentRow], deleted: Sequence[int]) -> None:
    """Write rows, in the order of progress and requirement, and delete others by key. A fixed number of statements."""
    if deleted:
        Fulfillment.objects.filter(pk__in=deleted).delete()
    new = [row for row in rows if row.pk is None]
    new.sort(key=attrgetter("progress_id", "requirement_id", "value_key"))
    bulk.insert_or_update_columns(Fulfillment, _columns(new, COLUMNS[1:]))
    known = [row for row in rows if row.pk is not None]
    known.sort(key=attrgetter("pk"))
    columns: dict[str, list[object]] = {"id": [row.pk for row in known], **_columns(known, COLUMNS[1:])}
    updating.update_columns(Fulfillment, columns, _CHANGED)


def _columns(rows: Iterable[FulfillmentRow], names: Iterable[str]) -> dict[str, list[object]]:
    return {name: list(map(attrgetter(name), rows)) for name in names}
