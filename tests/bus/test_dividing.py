"""A batch is divided until each event that fails is alone; no batch may take long."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pytest

from badges_plugin.consumers.dividing import apply_divided
from badges_plugin.consumers.exceptions import CannotGoOn
from badges_plugin.consumers.retrying import Patience, Retrying
from badges_plugin.consumers.sizing import BATCH_SECONDS, BatchSize


class Poison(Exception):
    pass


class Receiver:
    """Applies a batch unless it contains poison; remembers in which order events were applied."""

    def __init__(self, poison: Collection[int]) -> None:
        self.poison = poison
        self.attempts = 0
        self.applied: list[int] = []

    def __call__(self, events: Sequence[int]) -> list[str]:
        self.attempts += 1
        if found := [event for event in events if event in self.poison]:
            raise Poison(found[0])
        self.applied += events
        return [f"applied {event}" for event in events]


@pytest.mark.parametrize(
    ("count", "poison", "most_attempts"),
    [
        (0, [], 0),
        (1, [], 1),
        (1, [0], 1),
        (100, [], 1),
        # A look at each half on the way down, but for those that must fail because the other half did not.
        (100, [0], 15),
        (100, [99], 9),
        (100, [37], 13),
        (100, [10, 60], 25),
        (100, [10, 40, 90], 34),
        # Where many fail, one by one is quicker than halving.
        (100, range(100), 108),
        (100, range(0, 100, 2), 110),
        (100, range(50, 100), 70),
        (3, [1], 4),
    ],
)
def test_each_event_that_fails_is_found_and_no_other_is_harmed(
    count: int, poison: Collection[int], most_attempts: int
) -> None:
    receiver = Receiver(poison)
    results = apply_divided(range(count), receiver)
    assert [isinstance(result, Poison) for result in results] == [event in poison for event in range(count)]
    assert all(str(result).endswith(str(event)) for event, result in enumerate(results))
    # Those of one learner keep their order.
    assert receiver.applied == [event for event in range(count) if event not in poison]
    assert receiver.attempts <= most_attempts


@pytest.mark.parametrize(
    ("poison", "suspected", "most_attempts"),
    [
        ([50], {50: 50}, 4),
        ([0], {0: 0}, 3),
        ([99], {99: 99}, 3),
        ([10, 60, 61], {10: 10, 60: 60, 61: 61}, 9),
        # Of some errors nothing is known, and what is said may be wrong.
        ([10, 60], {60: 60}, 17),
        ([50], {50: 49}, 17),
    ],
)
def test_an_event_that_an_error_names_is_taken_out_at_once(
    poison: Collection[int], suspected: Mapping[int, int], most_attempts: int
) -> None:
    def suspect(error: Exception, events: Sequence[int]) -> int | None:
        named = suspected.get(int(str(error)))
        return events.index(named) if named in events else None

    receiver = Receiver(poison)
    results = apply_divided(range(100), receiver, suspect=suspect)
    assert [isinstance(result, Poison) for result in results] == [event in poison for event in range(100)]
    assert receiver.applied == [event for event in range(100) if event not in poison]
    assert receiver.attempts <= most_attempts


def test_an_error_that_does_not_come_again_leaves_no_failure() -> None:
    errors = [Poison(), Poison()]

    def apply(events: Sequence[int]) -> list[int]:
        if errors:
            raise errors.pop()
        return list(events)

    assert apply_divided(range(8), apply) == list(range(8))


def test_what_ends_the_process_is_let_through() -> None:
    def apply(events: Sequence[int]) -> list[int]:
        raise CannotGoOn

    with pytest.raises(CannotGoOn):
        apply_divided(range(8), apply, let_through=(CannotGoOn,))


@pytest.mark.parametrize(
    ("seconds_per_event", "sizes"),
    [
        (0.001, [1, 2, 4, 8, 16, 32, 50, 50]),
        (0.0, [1, 2, 4, 8, 16, 32, 50, 50]),
        (BATCH_SECONDS / 5, [1, 2, 4, 5, 5]),
        (BATCH_SECONDS * 2, [1, 1, 1]),
    ],
)
def test_a_batch_grows_until_it_takes_long(seconds_per_event: float, sizes: list[int]) -> None:
    size = BatchSize(50)
    seen = []
    for _ in sizes:
        seen.append(size.current)
        size.took(size.current, seconds_per_event * size.current)
    assert seen == sizes


def test_a_batch_that_took_long_makes_the_next_one_smaller() -> None:
    size = BatchSize(100)
    size.took(1, 0.001)
    for _ in range(10):
        size.took(size.current, 0.001)
    size.took(100, BATCH_SECONDS * 10)  # the provider of another app's receiver is slow
    assert size.current == 10


@pytest.mark.parametrize(
    ("current", "events", "expected"),
    [
        (100, 100, 50),
        (50, 50, 25),
        (25, 25, 25),  # a quarter of the maximum
        (100, 3, 25),
        (4, 3, 8),  # at most twice as many, as ever
    ],
)
def test_a_batch_that_was_divided_makes_the_next_one_smaller(current: int, events: int, expected: int) -> None:
    size = BatchSize(100)
    size.current = current
    size.took(events, 0.001, was_divided=True)
    assert size.current == expected


def test_the_parts_of_a_batch_wait_no_longer_together_than_one_event() -> None:
    now, errors = [0.0], [ConnectionError()] * 100

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def operation() -> None:
        if errors:
            raise errors.pop()

    retrying = Retrying(
        limit=10,
        max_pause=4,
        is_transient=lambda error: True,
        refresh=lambda: None,
        stop=lambda: False,
        sleep=sleep,
        clock=lambda: now[0],
    )
    patience = Patience(10)
    del errors[4:]
    retrying.run(operation, "The first part", while_waiting=lambda: None, patience=patience)
    assert (now[0], patience.left) == (3.5, 6.5)
    now[0] += 100  # work takes nothing
    retrying.run(operation, "The second part", while_waiting=lambda: None, patience=patience)
    assert patience.left == 6.5
    errors += [ConnectionError()] * 100
    with pytest.raises(CannotGoOn):
        retrying.run(operation, "The third part", while_waiting=lambda: None, patience=patience)
    assert now[0] <= 110
