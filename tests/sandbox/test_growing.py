"""The page about growing: its table follows from its assumptions, and these are no better than what was measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations"
PAGE = (OPERATIONS / "growing.rst").read_text(encoding="utf-8")
MEASURED = (OPERATIONS / "measured.txt").read_text(encoding="utf-8")


def number(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


def assumption(begins: str) -> float:
    """Return a value from the table of assumptions; percents as a share."""
    [line] = [
        line for line in PAGE.splitlines() if line.startswith(begins) and re.search(r"\s{2,}[\d.]+( \S+)?$", line)
    ]
    value = re.split(r"\s{2,}", line)[-1]
    return number(value) / (100 if value.endswith("%") else 1)


def row(begins: str) -> list[str]:
    """Return the cells of the three sizes."""
    [line] = [
        line for line in PAGE.splitlines() if line.strip("*").startswith(begins) and len(re.split(r"\s{2,}", line)) == 4
    ]
    return re.split(r"\s{2,}", line)[1:]


def test_the_table_follows_from_the_assumptions() -> None:
    each_day, busiest = assumption("Events of the LMS"), assumption("Share of a day")
    rate, cores = assumption("Events a second that one"), assumption("Cores of the database that")
    largest, size, gets = assumption("Learners in"), assumption("Size of an event"), assumption("Learners who get")
    answer, share = assumption("Time in which"), assumption("Share of a worker")
    for column, learners in enumerate(map(number, row("Learners"))):

        def cell(begins: str, column: int = column) -> float:
            return number(row(begins)[column])

        consumers, day = cell("Consumers to run"), learners * each_day
        peak = day * busiest / 3600
        workers, at_once = map(int, re.findall(r"\d+", row("Workers, with")[column]))
        computed = {
            "Events a day": day,
            "Events a second in": peak,
            "Consumers that": peak / rate,
            "Regrade": learners * largest / rate,
            "The same, key": learners * largest / rate / consumers,
            "Caught up": peak * 3600 / (consumers * rate - peak),
            "Disk": day * size * cell("Days that") / 1e6,
            "Cores of the database for": consumers * cores,
            "A new badge": learners * gets / (workers * at_once / answer * share),
        }
        for begins, value in computed.items():
            assert cell(begins) == pytest.approx(value, rel=0.05, abs=0.51 if value > 1 else 0.005), (begins, learners)
        assert consumers >= peak / rate + 1, "one may fail"
        assert cell("Caught up") < 3600
        assert cell("Partitions") >= 2 * consumers


def test_a_consumer_is_planned_with_less_than_was_measured() -> None:
    rates = [
        float(rate)
        for rate in re.findall(r"^  (?:award|same status|repeat|no match).*?: (\d+)/s;", MEASURED, re.MULTILINE)
    ]
    assert len(rates) >= 5
    assert assumption("Events a second that one") < min(rates)
