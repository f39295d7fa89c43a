"""Whether a badge is complete, and since when: decided without a database, by tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from badges_plugin.criteria import MAX_TIMES, Criteria, Criterion, Group, Measure, bounded, way_of

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return BEGIN + timedelta(days=number)


class AnyRules:
    current = "now"

    def covers(self, made_under: str) -> bool:
        return made_under == "now"

    def is_forgotten(self, made_under: str) -> bool:
        return made_under == "forgotten"


@dataclass
class Row:
    """A register; ``on`` is the day of its newest event."""

    requirement_id: int
    on: int
    value_key: str = ""
    is_fulfilled: bool = True
    made_under: str = "now"
    reset_on: int | None = None
    since: datetime | None = None
    value: str = ""
    event_type: str = "a"
    times: list[str] = field(default_factory=list)

    @property
    def event_time(self) -> datetime:
        return day(self.on)

    @property
    def event_id(self) -> UUID:
        return UUID(int=self.on)

    @property
    def reset_time(self) -> datetime | None:
        return None if self.reset_on is None else day(self.reset_on)

    @property
    def reset_id(self) -> UUID | None:
        return None if self.reset_on is None else UUID(int=self.reset_on)


def asks(number: int, count: int = 1, counted_by: str = "") -> Criterion:
    return Criterion(number, AnyRules(), count, counted_by)


ONE, EACH, COURSES = way_of(1, ""), way_of(3, ""), way_of(3, "course.course_key")


def event(on: int, **options: object) -> Row:
    return Row(1, on, EACH.key_of_event(UUID(int=on)), **options)  # type: ignore[arg-type]


def course(name: str, on: int, **options: object) -> Row:
    return Row(1, on, COURSES.key_of_value(name), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("criterion", "rows", "number", "completed_on"),
    [
        (asks(1), [], 0, None),
        (asks(1), [Row(1, 5)], 1, 5),
        (asks(1), [Row(1, 5, since=day(2))], 1, 2),
        (asks(1), [Row(1, 5, is_fulfilled=False)], 0, None),
        (asks(1), [Row(1, 5, made_under="before")], 0, None),
        # what was counted before, one event being enough now
        (asks(1), [event(5), event(6)], 1, 5),
        (asks(1, 3), [event(1), event(2)], 2, None),
        (asks(1, 3), [event(3), event(1), event(2), event(4)], 4, 3),
        # the one event that was enough before is counted once
        (asks(1, 2), [Row(1, 5), event(5)], 1, None),
        (asks(1, 2), [Row(1, 5), event(6)], 2, 6),
        (asks(1, 2, "course.course_key"), [course("a", 3), course("b", 2)], 2, 3),
        (asks(1, 2, "course.course_key"), [course("a", 3), course("b", 2, is_fulfilled=False)], 1, None),
        # which course that was is not known
        (asks(1, 2, "course.course_key"), [course("a", 3), Row(1, 2)], 1, None),
        (asks(1, 2, "course.course_key"), [course("a", 3), event(2)], 1, None),
        # the floor voids what is older, and what is said again begins anew
        (asks(1, 2), [event(1), event(2), event(4), Row(1, 3, is_fulfilled=False)], 1, None),
        (asks(1, 1, "course.course_key"), [course("a", 5, since=day(1)), Row(1, 3, is_fulfilled=False)], 1, 5),
    ],
)
def test_what_counts(criterion: Criterion, rows: list[Row], number: int, completed_on: int | None) -> None:
    tally = criterion.tally(rows)
    assert tally.number == number
    assert tally.completed_at == (None if completed_on is None else day(completed_on))


def test_what_an_expired_award_was_made_of_does_not_count_again() -> None:
    rows = [event(1), event(2), event(3)]
    assert [asks(1, 2).tally(rows, counts_from=day(n)).number for n in range(4)] == [3, 2, 1, 0]
    assert asks(1).tally([Row(1, 5, since=day(1))], counts_from=day(3)).completed_at == day(5)


def test_a_group_asks_for_some_of_its_requirements() -> None:
    criteria = Criteria((Group((asks(1), asks(2), asks(3)), needed=2),))
    assert not criteria.is_complete([Row(1, 1)])
    assert criteria.standing([Row(3, 7), Row(1, 1), Row(2, 4)]).completed_at == day(4)
    assert not Criteria(()).is_complete([Row(1, 1)])


@pytest.mark.parametrize(
    ("groups", "fulfilled", "expected"),
    [
        ([], {1}, False),
        ([{1}], set(), False),
        ([{1}], {1}, True),
        ([{1}, {2}], {1}, False),
        ([{1}, {2}], {1, 2}, True),
        ([{1, 2}], {2}, True),
        ([{1, 2}, {3}], {1, 2}, False),
        ([{1, 2}, {3}], {2, 3, 99}, True),
        ([{1}], {99}, False),
    ],
)
def test_completeness(groups: list[set[int]], fulfilled: set[int], expected: bool) -> None:
    criteria = Criteria(tuple(Group(tuple(map(asks, sorted(group)))) for group in groups))
    assert criteria.is_complete([Row(number, 1) for number in fulfilled]) is expected


def test_a_measure_says_which_rules_count() -> None:
    criteria = Criteria((Group((asks(1),)),))
    held = {
        made_under: [
            measure for measure in Measure if criteria.is_complete([Row(1, 1, made_under=made_under)], measure=measure)
        ]
        for made_under in ("now", "before", "forgotten")
    }
    assert held == {
        "now": [Measure.COUNTING, Measure.PROTECTING, Measure.ANY],
        "before": [Measure.PROTECTING, Measure.ANY],
        "forgotten": [Measure.ANY],
    }


@pytest.mark.parametrize(
    ("rows", "completed_on"),
    [
        ([Row(1, 1), Row(2, 2)], 2),
        ([Row(1, 2), Row(2, 1)], None),
        ([Row(1, 2), Row(2, 2)], 2),
        # said again afterwards
        ([Row(1, 2), Row(2, 5, since=day(1), times=[day(n).isoformat() for n in (1, 3, 5)])], 3),
        ([Row(1, 2), Row(2, 5, since=day(1))], 5),
        # a reset in between
        ([Row(1, 4, since=day(4), reset_on=3, times=[day(1).isoformat(), day(4).isoformat()]), Row(2, 2)], None),
    ],
)
def test_groups_in_order(rows: list[Row], completed_on: int | None) -> None:
    criteria = Criteria((Group((asks(1),)), Group((asks(2),))), in_order=True)
    standing = criteria.standing(rows)
    assert standing.completed_at == (None if completed_on is None else day(completed_on))


def test_a_group_whose_turn_has_not_come_says_so() -> None:
    criteria = Criteria((Group((asks(1),)), Group((asks(2),))), in_order=True)
    assert [group.is_waiting for group in criteria.standing([Row(2, 1)]).groups] == [False, True]


def test_of_many_times_the_oldest_and_the_newest_are_kept() -> None:
    moments = [day(n) for n in range(3 * MAX_TIMES)]
    kept = bounded(moments)
    assert len(kept) == MAX_TIMES
    assert (kept[0], kept[-1]) == (moments[0], moments[-1])
    assert bounded([*kept, moments[MAX_TIMES]]) == kept


def test_ways_of_counting_never_share_a_value_key() -> None:
    keys = [
        ONE.key_of_value("a") if not ONE.is_one else "",
        EACH.key_of_event(UUID(int=1)),
        COURSES.key_of_value("a"),
        way_of(1, "course.display_name").key_of_value("a"),
    ]
    assert len(set(keys)) == len(keys)
    assert max(map(len, keys)) <= 64
