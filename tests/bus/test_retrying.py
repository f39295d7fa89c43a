"""Waiting for what is away."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import pytest

from badges_plugin.consumers.exceptions import CannotGoOn, Stopped
from badges_plugin.consumers.retrying import Retrying, pauses


class Away(Exception):
    pass


class Bug(Exception):
    pass


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def make_patience(clock: Clock, *, stop: Callable[[], bool] = lambda: False, limit: float = 10) -> Retrying:
    return Retrying(
        limit=limit,
        max_pause=4,
        is_transient=lambda error: isinstance(error, Away),
        refresh=lambda: None,
        stop=stop,
        sleep=clock.sleep,
        clock=clock,
    )


def failing(*errors: Exception) -> Callable[[], str]:
    """An operation that raises these, one a call, and then succeeds."""
    left = list(errors)

    def operation() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return operation


@pytest.mark.parametrize(
    ("longest", "expected"),
    [
        (4, [0, 0.5, 1, 2, 4, 4, 4]),  # doubles, then stays
        (1.5, [0, 0.5, 1, 1.5, 1.5, 1.5, 1.5]),  # the cap need not be a power of two
        (0.1, [0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]),  # a cap below the first pause holds from the start
    ],
)
def test_pauses(longest: float, expected: list[float]) -> None:
    assert list(islice(pauses(longest), 7)) == expected


@pytest.mark.parametrize(
    ("failures", "waited"),
    [
        (0, 0.0),
        (1, 0.0),  # a connection that went stale costs no waiting
        (3, 1.5),
        (5, 7.5),
    ],
)
def test_repeats_until_it_passes(failures: int, waited: float) -> None:
    clock = Clock()
    result = make_patience(clock).run(failing(*[Away()] * failures), "Trying", while_waiting=lambda: None)
    assert result == "done"
    assert clock.now == pytest.approx(waited)


def test_refreshes_and_keeps_the_claim_before_each_new_attempt() -> None:
    calls: list[str] = []
    clock = Clock()
    patience = Retrying(
        limit=10,
        max_pause=1,
        is_transient=lambda error: True,
        refresh=lambda: calls.append("refresh"),
        stop=lambda: False,
        sleep=clock.sleep,
        clock=clock,
    )
    patience.run(failing(Away(), Away()), "Trying", while_waiting=lambda: calls.append("claim"))
    assert calls == ["claim", "refresh"] * 2


def test_another_error_is_passed_on_at_once() -> None:
    clock = Clock()
    with pytest.raises(Bug):
        make_patience(clock).run(failing(Away(), Bug()), "Trying", while_waiting=lambda: None)
    assert clock.now == 0


def test_gives_up_when_the_next_attempt_would_come_too_late() -> None:
    clock = Clock()
    with pytest.raises(CannotGoOn, match="gave up after 10 s, Away") as raised:
        make_patience(clock).run(failing(*[Away()] * 99), "Trying", while_waiting=lambda: None)
    assert clock.now <= 10
    assert isinstance(raised.value.__cause__, Away)


def test_a_stop_ends_the_waiting() -> None:
    clock = Clock()
    patience = make_patience(clock, stop=lambda: clock.now > 1)
    with pytest.raises(Stopped):
        patience.run(failing(*[Away()] * 99), "Trying", while_waiting=lambda: None)
    assert clock.now == pytest.approx(1, abs=0.5)
