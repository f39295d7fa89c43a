"""The table of measurements: what counts as reached, and how a consumer's log is read."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from sandbox.bench.goals import GOALS, PARTS, Goal, Measured, lines, text
from sandbox.bench.log import Progress, read
from sandbox.bench.measuring import MODULES

MOST = Goal(key="most", part="a", name="at most", today="", limit=20, scales=True)
LEAST = Goal(key="least", part="a", name="at least", today="", limit=20, is_least=True)


@pytest.mark.parametrize(
    ("goal", "value", "small", "reached"),
    [
        (MOST, 20, False, True),
        (MOST, 20.1, False, False),
        # A tenth of the size must take a tenth.
        (MOST, 2, True, True),
        (MOST, 3, True, False),
        (LEAST, 20, False, True),
        (LEAST, 19.9, False, False),
        # A rate is the same at any size.
        (LEAST, 19.9, True, False),
    ],
)
def test_what_is_reached(goal: Goal, value: float, small: bool, reached: bool) -> None:
    assert goal.is_reached(value, small=small) is reached


def test_every_goal_has_a_key_of_its_own_and_a_part_that_measures_it() -> None:
    assert len({goal.key for goal in GOALS}) == len(GOALS)
    assert set(MODULES) == set(PARTS)


def test_nothing_that_was_not_measured_is_reached() -> None:
    found = {"repeat": Measured("repeat", 1.5, "rounds: 1.5")}
    rows = {row.name: row for row in lines(["kafka"], found, {"kafka": "the broker fell"}, small=False)}
    assert len(rows) == 5
    assert rows.pop("repeat (applied already)").ok
    assert not any(row.ok for row in rows.values())
    assert {row.note for row in rows.values()} == {"the broker fell"}
    printed = text(rows.values())
    assert printed.count("not measured  SHORT") == 4
    assert "no match, Kafka: the broker fell" in printed


LOG = """\
2026-01-01 10:00:00,500 INFO badges_plugin.consumers.applying: Consuming dev-topic for group g.
2026-01-01 10:00:01,000 INFO badges_plugin.consumers.applying: Applied 40 events in 400 ms: 40 applied
2026-01-01 10:00:01,200 ERROR badges_plugin.consumers.reporting: Stored event 7 as a failed event: Error
2026-01-01 10:00:01,250 INFO badges_plugin.consumers.applying: Applied 100 events in 200 ms: 99 applied, 1 failed
2026-01-01 10:00:02,000 INFO badges_plugin.consumers.applying: Applied 50 events in 50 ms: 50 applied
"""


def test_the_rate_is_that_between_the_ends_of_the_first_and_the_last_batch() -> None:
    seen = read(LOG)
    assert (seen.handled, seen.stored) == (190, 1)
    assert seen.rate == pytest.approx(150)


def test_the_rate_of_a_consumer_that_ran_by_turns() -> None:
    def at(seconds: float) -> datetime:
        return datetime(2026, 1, 1, 10, 0, 0) + timedelta(seconds=seconds)  # noqa: DTZ001 - as the log has it

    # It began before its turns; from the end of the first batch in them it ran for 0.2 and then for 0.3 seconds.
    progress = Progress([(at(1), 7), (at(2.1), 40), (at(2.25), 100), (at(5.2), 100)], stored=0)
    assert progress.rate_in([(at(2), at(2.3)), (at(4.9), at(5.2))]) == pytest.approx(200 / 0.5)
    with pytest.raises(RuntimeError, match="one batch"):
        progress.rate_in([(at(5), at(5.2))])


def test_one_batch_has_no_rate() -> None:
    with pytest.raises(RuntimeError, match="one batch"):
        _ = read("\n".join(LOG.splitlines()[:2])).rate
