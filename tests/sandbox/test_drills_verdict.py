"""The drills' verdict finds every kind of wrong, and finds none where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.drills import bus_books, verdict
from sandbox.drills.catalog import Result
from sandbox.drills.tables import results_table
from sandbox.drills.verdict import Wanted, judge
from tests.factories import at

ADA = "ada@example.org"


def change(operation: str, email: str = ADA) -> dict[str, Any]:
    subject = {"recipient_email": email, "badge_id": "b1"}
    return {"operation": operation, "applied": True, "refusal": "", "subject": subject}


def refused(operation: str, refusal: str) -> dict[str, Any]:
    return {"operation": operation, "applied": False, "refusal": refusal, "subject": {"badge_id": "b1"}}


ISSUE, REVOKE, LOOK = change("issue"), change("revoke"), change("list_badges")

CASES: dict[str, tuple[Wanted, list[dict[str, Any]], int, list[str]]] = {
    # name: what is wanted, the journal, how many live badges there are, what is wrong
    "issued": (Wanted(1, holds=True), [ISSUE], 1, []),
    "a failure before it": (Wanted(1, holds=True), [refused("issue", ""), LOOK, ISSUE], 1, []),
    "revoked before it was issued": (Wanted(1, holds=False), [], 0, []),
    "issued and revoked": (Wanted(1, holds=False), [ISSUE, REVOKE], 0, []),
    "awarded again": (Wanted(2, holds=True), [ISSUE, REVOKE, ISSUE], 1, []),
    "never issued": (Wanted(1, holds=True), [], 0, [verdict.MISSING]),
    "revoked, but still held": (Wanted(2, holds=True), [ISSUE, REVOKE], 0, [verdict.MISSING]),
    "never revoked": (Wanted(1, holds=False), [ISSUE], 1, [verdict.NOT_REVOKED]),
    "issued twice": (Wanted(2, holds=True), [ISSUE, ISSUE], 2, [verdict.ISSUED_TWICE]),
    "issued again though revoked": (
        Wanted(1, holds=False),
        [ISSUE, REVOKE, ISSUE, REVOKE],
        0,
        [verdict.ISSUED_IN_VAIN],
    ),
    "a duplicate that was refused": (
        Wanted(1, holds=True),
        [ISSUE, refused("issue", "duplicate")],
        1,
        [verdict.ISSUED_TWICE],
    ),
    "revoked first": (
        Wanted(1, holds=True),
        [refused("revoke", "unknown badge"), ISSUE],
        1,
        [verdict.REVOKED_FIRST],
    ),
    "revoked twice": (
        Wanted(1, holds=False),
        [ISSUE, REVOKE, refused("revoke", "already revoked")],
        0,
        [verdict.REVOKED_TWICE],
    ),
    "to somebody else": (
        Wanted(1, holds=True),
        [ISSUE, change("issue", "bob@example.org")],
        1,
        [verdict.UNKNOWN_LEARNER],
    ),
}


@pytest.mark.parametrize(("wanted", "journal", "live", "wrong"), CASES.values(), ids=CASES)
def test_verdict(wanted: Wanted, journal: list[dict[str, Any]], live: int, wrong: list[str]) -> None:
    badges = [{"recipient_email": ADA, "live": True}] * live + [{"recipient_email": ADA, "live": False}]

    found = judge({ADA: wanted}, journal, badges)

    assert list(found.counts) == wrong
    assert len(found.problems) == len(wrong)


def test_the_examples_are_few() -> None:
    wanted = {f"learner-{number}@example.org": Wanted(1, holds=True) for number in range(50)}

    (problem,) = judge(wanted, [], []).problems

    assert problem.startswith("50 missing, for example learner-0@example.org, ")
    assert problem.count("@") == verdict.EXAMPLES


def test_a_table_of_results_with_different_numbers() -> None:
    results = [Result("first", {"awards": 5, "seconds": 1.25}), Result("second one", {"kills": 30})]

    assert results_table(results).splitlines() == [
        "drill       awards  seconds  kills",
        "----------------------------------",
        "first            5      1.2      -",
        "second one       -        -     30",
    ]


SINCE = {
    "pk": 1,
    "is_fulfilled": True,
    "reset_time": at(1),
    "reset_id": "late",
    "since": at(3),
    "event_time": at(3),
    "times": [],
}
REPLAYS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], tuple[int, int]]] = {
    # name: a row before, all rows after, tables changed and rows set back
    "nothing": (SINCE, [SINCE], (0, 0)),
    "set back": (SINCE, [{**SINCE, "since": at(2)}], (0, 1)),
    "set back, and repeated later": (
        {**SINCE, "event_time": at(4)},
        [{**SINCE, "event_time": at(4), "since": at(2)}],
        (0, 1),
    ),
    "begins later": (SINCE, [{**SINCE, "since": at(4)}], (1, 0)),
    "begins before the penalty": (SINCE, [{**SINCE, "since": at(0)}], (1, 0)),
    "never reset": ({**SINCE, "reset_time": None}, [{**SINCE, "reset_time": None, "since": at(2)}], (1, 0)),
    "reset in time": ({**SINCE, "reset_id": "-"}, [{**SINCE, "reset_id": "-", "since": at(2)}], (1, 0)),
    "of known times": ({**SINCE, "times": ["-"]}, [{**SINCE, "times": ["-"], "since": at(2)}], (1, 0)),
    "something else, too": (SINCE, [{**SINCE, "since": at(2), "event_time": at(4)}], (1, 0)),
    "no fulfillment": ({"pk": 1, "status": "held"}, [{"pk": 1, "status": "revoked"}], (1, 0)),
    "a row is gone": (SINCE, [], (1, 0)),
    "a row is new": (SINCE, [SINCE, {**SINCE, "pk": 2}], (1, 0)),
}


@pytest.mark.parametrize("case", REPLAYS)
def test_what_a_replay_changed(case: str) -> None:
    before, after, expected = REPLAYS[case]
    same = [{"pk": 1}]
    assert bus_books.replayed([same, [before]], [same, after], late={"late"}) == expected
